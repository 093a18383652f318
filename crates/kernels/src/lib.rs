//! Fused training operations.
