"""One file per model family; the loop knows only `base.ModelFamily`."""
