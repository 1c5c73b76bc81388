"""From a folder to the exact list of pictures, crops and captions that training will see."""
