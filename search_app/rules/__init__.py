"""Rules over what stages found: decided for each video, with the shots that each decision rests on."""
