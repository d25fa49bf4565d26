"""What tests share: servers, factories, fakes."""
