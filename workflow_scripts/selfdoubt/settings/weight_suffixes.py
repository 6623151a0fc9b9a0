"""What files of weights end in: of safetensors, and of torch's pickles. Without pydantic: jobs import it too."""

SAFETENSORS = (".safetensors",)
PICKLES = (".pth", ".pt", ".th", ".tar")  # .tar: of .pth.tar
EITHER = f"{SAFETENSORS[0]}, {', '.join(PICKLES[:-1])} or {PICKLES[-1]}"
