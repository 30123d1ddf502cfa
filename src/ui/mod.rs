//! Draws `State` into cells; pure, decides nothing.
