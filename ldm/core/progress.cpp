// The owner writes this.
