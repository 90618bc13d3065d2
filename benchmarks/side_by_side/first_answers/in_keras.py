"""The shortest way from a photo to three names in Keras: WEIGHTS PHOTO."""

import sys

from keras.applications.resnet50 import ResNet50, decode_predictions, preprocess_input
from keras.utils import img_to_array, load_img

weights, photo = sys.argv[1:]
model = ResNet50(weights=weights)
x = preprocess_input(img_to_array(load_img(photo, target_size=(224, 224)))[None])
print(decode_predictions(model.predict(x, verbose=0), top=3))
