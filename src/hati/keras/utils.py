"""What lessons use of `keras.utils`: the same functions as in `keras.preprocessing.image`."""

from .preprocessing.image import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]
