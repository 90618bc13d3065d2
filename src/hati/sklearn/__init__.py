"""hati in scikit-learn's own shape: photos go into pipelines, cross-validation and grid searches.

from hati.sklearn import ImageClassifier, ImageFeatures

make_pipeline(ImageFeatures(), LogisticRegression()).fit(paths, names)
cross_val_score(ImageClassifier("MobileNetV2"), paths, names)
"""

try:
    import sklearn as _installed  # noqa: F401
except ImportError:
    from ..tools.extras import brings

    raise ImportError(f"hati.sklearn needs scikit-learn: {brings('train')}") from None

from .classifier import ImageClassifier
from .features import ImageFeatures

__all__ = ["ImageClassifier", "ImageFeatures"]
