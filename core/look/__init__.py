"""What a set of pictures shows when it is looked at: copies, blur, what is too small."""
