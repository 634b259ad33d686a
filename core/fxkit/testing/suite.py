"""The checks by kind of plugin."""

from __future__ import annotations

from fxkit.testing import causality, gradients, interface, loss, options, robustness, streaming

SHARED_CHECKS = (
    interface.check_items_apart,
    interface.check_repeatable,
    interface.check_state_is_a_value,
    streaming.check_streaming,
    causality.check_causality,
    gradients.check_gradients_reach,
    gradients.check_gradient_magnitude,
    robustness.check_silence,
    robustness.check_weights_travel,
    options.check_options,
)

PROCESSOR_CHECKS = (
    interface.check_output_shape,
    causality.check_latency,
    causality.check_receptive_field,
    robustness.check_extremes,
    robustness.check_mappings,
    *SHARED_CHECKS,
)

CONTROLLER_CHECKS = (interface.check_control_shape, robustness.check_whole_range, *SHARED_CHECKS)

LOSS_CHECKS = (
    loss.check_one_value_per_item,
    loss.check_batching,
    loss.check_zero_at_goal,
    loss.check_silent_signals,
    loss.check_loss_gradient,
    loss.check_loss_options,
)
