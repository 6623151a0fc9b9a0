# After all functions.

# Snakemake looks up a function's signature whenever it calls it; what is written down is found at once.
for function in [value for value in globals().values() if inspect.isfunction(value) and value.__module__ == __name__]:
    function.__signature__ = inspect.signature(function)
