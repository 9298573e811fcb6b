#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "ldm/data/label_map.h"
#include "ldm/data/layout_tokens.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// From files as users have them to what the model reads: each of these fills request.given, and
// request.given_null with what stands for none of it. All throw kUsage where the model reads something else.

// A label picture (of one channel: image/label_picture.h), resized to the canvas by nearest pixels. table:
// which value means what; without it the model's own. Throws kData, beginning with `what`, for a value that
// the table does not have.
void give_label_map(const LatentDiffusion& model, const Image& labels, std::string_view what,
                    const std::optional<LabelTable>& table, GenerateRequest& request);

// A layout file (see layout_file.h). class_names: of the categories; none: the model's own.
void give_layout(const LatentDiffusion& model, std::span<const std::byte> json, std::string_view what,
                 std::span<const std::string> class_names, GenerateRequest& request);

// How a layout becomes tokens for this model: as its file says, or as it follows from the number of tokens, 3
// an object and 2 more for the crop, with flags where the vocabulary has room for them.
LayoutTokenizer layout_tokenizer(const LatentDiffusion& model, int64_t categories);

// A picture to be varied, over white.
void give_look(const LatentDiffusion& model, const Image& picture, GenerateRequest& request);

// Embeddings of neighbours [k, D].
void give_neighbours(const LatentDiffusion& model, const torch::Tensor& embeddings, GenerateRequest& request);

// What of the condition cannot be left out stands in given_null too: maps, pictures and vectors.
void complete_null(const LatentDiffusion& model, GenerateRequest& request);

}  // namespace ldm
