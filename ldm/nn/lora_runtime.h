#pragma once

#include "ldm/nn/layers.h"
#include "ldm/nn/lora.h"

namespace ldm {

// An adapter beside a layer instead of in its weight: y = W x + strength * scale * delta x. The weight stays
// as it is, whatever its type, and strengths can change from picture to picture. LoRA computes through its
// factors, the others through their product. Adapters add up; drop them with `layer.additions.clear()`.
// Throws kFormat when the factors do not fit the layer.
void attach_adapter(LinearModule& layer, const WeightAdapter& adapter, double strength);
void attach_adapter(Conv2dModule& layer, const WeightAdapter& adapter, double strength);

}  // namespace ldm
