#pragma once

#include <vector>

#include "ldm/data/loader.h"
#include "ldm/model/conditioner.h"

namespace ldm {

// What a data set calls by the names of the original's batches, in the fields that conditioners read:
// LR_image, masked_image and segmentation are the picture, mask (in {-1, 1}) the mask, objects_bbox the
// tokens, neighbours the embeddings. Throws kInternal for another name.
Condition to_condition(const Conditions& conditions);

// One for each sample of the batch, with its caption and class.
std::vector<Condition> to_conditions(const Batch& batch);

}  // namespace ldm
