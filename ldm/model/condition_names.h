#pragma once

#include "ldm/config/node.h"
#include "ldm/model/latent_diffusion.h"

namespace ldm {

// What a model file's `data.task` (see train/task_section.h) says of the condition's numbers goes into
// `options`, where model.params itself says nothing: class_names, label_names, upscale_factor, layout,
// map_null. config: the file's whole YAML. Throws kUsage for values of another type.
void add_condition_names(const Node& config, LatentDiffusionOptions& options);

// The part of data.task that this reads, without the files that the training read; null when there is none.
Node condition_task(const Node& config);

}  // namespace ldm
