"""The rooms of `src/hati`, lowest first: a room imports from rooms before it, and from itself."""

ROOMS = (
    "errors", "tools", "network", "labels", "photos", "preprocessing", "catalog", "weights", "engines", "model", "int8",
    "keras", "loading", "evaluating", "exporting", "optimising", "choosing", "transfer", "sklearn", "cli", "__main__",
)  # fmt: skip
