"""One clip cut out of its source, in the shape of the film: framing, colours, coding, exact to the frame."""
