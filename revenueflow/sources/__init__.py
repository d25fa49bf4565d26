"""Where leads come in: what each sender's payload means, and the one write that makes it durable."""
