//! Canary statistics: numbers in, a verdict out. Pure; knows no backend, no screen and no clock.
