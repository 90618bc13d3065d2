"""The part of the TFLite schema that is written, as data: tables and their fields in the order of their slots.

Facts: tensorflow/lite/schema/schema.fbs (version 3) and metadata_schema.fbs of TFLite Support 0.4.
"""

from typing import NamedTuple

# Each field is its name and its kind: a number of so many bits, text, another table, or several of these.
TABLES: dict[str, str] = {
    "Model": "version:uint32 operator_codes:tables subgraphs:tables description:text buffers:tables "
    "metadata_buffer:int32s metadata:tables signature_defs:tables",
    "OperatorCode": "deprecated_builtin_code:int8 custom_code:text version:int32 builtin_code:int32",
    "SubGraph": "tensors:tables inputs:int32s outputs:int32s operators:tables name:text",
    "Tensor": "shape:int32s type:int8 buffer:uint32 name:text quantization:table is_variable:bool sparsity:table "
    "shape_signature:int32s has_rank:bool",
    "QuantizationParameters": "min:float32s max:float32s scale:float32s zero_point:int64s details_type:uint8 "
    "details:table quantized_dimension:int32",
    "Operator": "opcode_index:uint32 inputs:int32s outputs:int32s builtin_options_type:uint8 builtin_options:table",
    "Buffer": "data:bytes",
    "Metadata": "name:text buffer:uint32",
    "SignatureDef": "inputs:tables outputs:tables signature_key:text unused:text subgraph_index:uint32",
    "TensorMap": "name:text tensor_index:uint32",
    # options of operators
    "AddOptions": "fused_activation_function:int8",
    "ConcatenationOptions": "axis:int32 fused_activation_function:int8",
    "Conv2DOptions": "padding:int8 stride_w:int32 stride_h:int32 fused_activation_function:int8 "
    "dilation_w_factor:int32 dilation_h_factor:int32",
    "DepthwiseConv2DOptions": "padding:int8 stride_w:int32 stride_h:int32 depth_multiplier:int32 "
    "fused_activation_function:int8 dilation_w_factor:int32 dilation_h_factor:int32",
    "DequantizeOptions": "",
    "FullyConnectedOptions": "fused_activation_function:int8 weights_format:int8 keep_num_dims:bool",
    "GeluOptions": "approximate:bool",
    "HardSwishOptions": "",
    "MaximumMinimumOptions": "",
    "MulOptions": "fused_activation_function:int8",
    "PadOptions": "",
    "PadV2Options": "",
    "Pool2DOptions": "padding:int8 stride_w:int32 stride_h:int32 filter_width:int32 filter_height:int32 "
    "fused_activation_function:int8",
    "QuantizeOptions": "",
    "ReducerOptions": "keep_dims:bool",
    "ReshapeOptions": "new_shape:int32s",
    "SoftmaxOptions": "beta:float32",
    "SquaredDifferenceOptions": "",
    "SubOptions": "fused_activation_function:int8",
    "StridedSliceOptions": "begin_mask:int32 end_mask:int32 ellipsis_mask:int32 new_axis_mask:int32 "
    "shrink_axis_mask:int32 offset:bool",
    # metadata for phone libraries
    "ModelMetadata": "name:text description:text version:text subgraph_metadata:tables author:text license:text "
    "associated_files:tables min_parser_version:text",
    "SubGraphMetadata": "name:text description:text input_tensor_metadata:tables output_tensor_metadata:tables",
    "TensorMetadata": "name:text description:text dimension_names:texts content:table process_units:tables "
    "stats:table associated_files:tables",
    "Content": "content_properties_type:uint8 content_properties:table range:table",
    "ImageProperties": "color_space:int8 default_size:table",
    "ImageSize": "width:uint32 height:uint32",
    "FeatureProperties": "",
    "ProcessUnit": "options_type:uint8 options:table",
    "NormalizationOptions": "mean:float32s std:float32s",
    "Stats": "max:float32s min:float32s",
    "AssociatedFile": "name:text description:text type:int8 locale:text version:text",
}


class Kind(NamedTuple):
    """An operator: its number, its versions in float32 and in int8, and its options' number and table.

    Versions in int8 are those of Coral's own published models, where they have the operator.
    """

    code: int
    float_version: int
    int8_version: int
    options_type: int = 0
    options: str = ""


OPERATORS: dict[str, Kind] = {
    "ADD": Kind(0, 1, 2, 11, "AddOptions"),
    "AVERAGE_POOL_2D": Kind(1, 1, 2, 5, "Pool2DOptions"),
    "CONCATENATION": Kind(2, 1, 2, 10, "ConcatenationOptions"),
    "CONV_2D": Kind(3, 1, 3, 1, "Conv2DOptions"),
    "DEPTHWISE_CONV_2D": Kind(4, 1, 3, 2, "DepthwiseConv2DOptions"),
    "DEQUANTIZE": Kind(6, 3, 2, 38, "DequantizeOptions"),  # 3: from float16
    "FULLY_CONNECTED": Kind(9, 1, 4, 8, "FullyConnectedOptions"),
    "GELU": Kind(150, 1, 2, 116, "GeluOptions"),
    "HARD_SWISH": Kind(117, 1, 1, 91, "HardSwishOptions"),
    "LOGISTIC": Kind(14, 1, 2),
    "MAX_POOL_2D": Kind(17, 1, 2, 5, "Pool2DOptions"),
    "MINIMUM": Kind(57, 1, 2, 39, "MaximumMinimumOptions"),
    "MEAN": Kind(40, 1, 2, 27, "ReducerOptions"),
    "MUL": Kind(18, 1, 2, 21, "MulOptions"),
    "PAD": Kind(34, 1, 2, 22, "PadOptions"),
    "PADV2": Kind(60, 1, 2, 43, "PadV2Options"),
    "QUANTIZE": Kind(114, 1, 1, 89, "QuantizeOptions"),
    "REDUCE_MAX": Kind(82, 1, 2, 27, "ReducerOptions"),
    "RELU": Kind(19, 1, 2),
    "RELU6": Kind(21, 1, 2),
    "RESHAPE": Kind(22, 1, 1, 17, "ReshapeOptions"),
    "RSQRT": Kind(76, 1, 2),
    "SOFTMAX": Kind(25, 1, 2, 9, "SoftmaxOptions"),
    "SQUARED_DIFFERENCE": Kind(99, 1, 2, 76, "SquaredDifferenceOptions"),
    "SUB": Kind(41, 1, 2, 28, "SubOptions"),
    "STRIDED_SLICE": Kind(45, 1, 2, 32, "StridedSliceOptions"),
    "TANH": Kind(28, 1, 2),
}
TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "int8": 9}
PADDINGS = {"SAME": 0, "VALID": 1}
ACTIVATIONS = {"linear": 0, "relu": 1, "relu6": 3}
SCHEMA_VERSION = 3
IDENTIFIER, METADATA_IDENTIFIER = b"TFL3", b"M001"
RGB, FEATURE, IMAGE, NORMALISATION, AXIS_LABELS = 1, 1, 2, 1, 2  # of the metadata's enumerations
