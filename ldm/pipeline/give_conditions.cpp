#include "ldm/pipeline/give_conditions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/io/file.h"
#include "ldm/pipeline/check_request.h"
#include "ldm/pipeline/layout_file.h"
#include "ldm/pipeline/pictures.h"

namespace ldm {
namespace {

LabelTable table_of(const LatentDiffusion& model, const std::optional<LabelTable>& given) {
  if (given) return *given;
  const auto& names = model.options().label_names;
  check(!names.empty(),
        "label map: the model does not say which grey value means what; expected a label table ",
        "(--labels) of its ", model.reads().channels, " labels");
  std::string text;
  for (const auto& line : names) text += line + "\n";
  return parse_label_table(as_bytes(text), "model.params.label_names");
}

torch::Tensor token_tensor(const std::vector<int64_t>& tokens) { return at::tensor(tokens, at::kLong); }

}  // namespace

void give_label_map(const LatentDiffusion& model, const Image& labels, std::string_view what,
                    const std::optional<LabelTable>& given, GenerateRequest& r) {
  const auto reads = model.reads();
  check(reads.picture == PictureUse::kLabelMap, "generate: this model takes ", taken_by(model),
        ", not a label map");
  const auto table = table_of(model, given);
  check(table.size() == reads.channels, "label map: the model was trained with ", reads.channels,
        " labels, the label table has ", table.size());
  check_labels(labels, table, what);
  const auto canvas = plan_canvas(model, r);
  const auto factor = model.first_stage().downsampling();
  // In pixels of the map: the canvas, and what is drawn beyond it.
  const auto scaled = [&](int64_t pixels) {
    return std::max<int64_t>(1, (pixels * reads.per_latent + factor / 2) / factor);
  };
  const auto wide = canvas.latent_width * reads.per_latent, high = canvas.latent_height * reads.per_latent;
  const auto width = std::min(wide, scaled(canvas.width)), height = std::min(high, scaled(canvas.height));
  const auto map = one_hot_labels(labels, table, width, height);
  r.given.picture = at::replication_pad2d(map, {0, wide - width, 0, high - height});
  if (model.options().map_null) r.given_null.picture = at::zeros_like(r.given.picture);
}

LayoutTokenizer layout_tokenizer(const LatentDiffusion& model, int64_t categories) {
  const auto reads = model.reads();
  auto options = model.options().layout.value_or(LayoutTokenOptions{});
  if (!model.options().layout) {
    options.tokens = reads.vocabulary;
    options.encode_crop = reads.tokens % 3 == 2;
    options.max_objects = reads.tokens / 3;
    const auto room = categories > 0 ? (reads.vocabulary - 1) / categories : 0;
    options.use_additional = room >= 16;
    options.use_group = room >= 2;
  }
  if (options.classes == 0) options.classes = categories;
  check(
      options.classes > 0,
      "layout: the model does not say what its categories are called; expected their names (--class-names)");
  const LayoutTokenizer tokenizer(options);
  check(tokenizer.length() == reads.tokens, "layout: the model reads ", reads.tokens,
        " tokens, its settings (model.params.layout) make ", tokenizer.length());
  return tokenizer;
}

void give_layout(const LatentDiffusion& model, std::span<const std::byte> json, std::string_view what,
                 std::span<const std::string> class_names, GenerateRequest& r) {
  const auto reads = model.reads();
  check(reads.tokens > 0, "generate: this model takes ", taken_by(model), ", not a layout");
  const auto& names =
      class_names.empty() ? std::span<const std::string>(model.options().class_names) : class_names;
  const auto canvas = plan_canvas(model, r);
  // How many categories there are is known by their names or by the model's settings.
  const auto named = static_cast<int64_t>(names.size());
  const auto set = model.options().layout ? model.options().layout->classes : 0;
  const auto known = std::max(set, named);
  const auto scene =
      parse_layout(json, what, names, known > 0 ? known : reads.vocabulary, canvas.width, canvas.height);
  auto tokens = scene.tokens;
  if (tokens.empty()) {
    const auto tokenizer =
        layout_tokenizer(model, scene.objects.empty() ? std::max<int64_t>(1, named) : named);
    check(static_cast<int64_t>(scene.objects.size()) <= tokenizer.max_objects(), what, ": expected at most ",
          tokenizer.max_objects(), " boxes, as many as the model reads, got ", scene.objects.size());
    tokens = tokenizer.encode(scene.objects, {}, /*flip=*/false, Random(0, "layout"));
  }
  for (const auto token : tokens)
    check(token >= 0 && token < reads.vocabulary, what, ": expected tokens of 0..", reads.vocabulary - 1,
          ", got ", token);
  r.given.tokens = token_tensor(tokens);
}

void give_look(const LatentDiffusion& model, const Image& picture, GenerateRequest& r) {
  const auto reads = model.reads();
  check(reads.picture == PictureUse::kLook, "generate: this model takes ", taken_by(model),
        ", not a picture to vary; hint: --init-image or --subseed vary a picture with any model");
  r.given.picture = to_tensor(std::vector<Image>{to_rgb(picture)})[0];
}

void give_neighbours(const LatentDiffusion& model, const torch::Tensor& embeddings, GenerateRequest& r) {
  check(model.reads().embeddings > 0, "generate: this model takes ", taken_by(model),
        ", not embeddings of neighbours");
  r.given.embeddings = embeddings.to(at::kFloat);
  r.given_null.embeddings = at::zeros_like(r.given.embeddings);
}

void complete_null(const LatentDiffusion& model, GenerateRequest& r) {
  const auto reads = model.reads();
  auto& null = r.given_null;
  if (reads.tokens > 0 && !null.tokens.defined()) {
    const auto& options = model.options();
    const auto categories = std::max<int64_t>(1, static_cast<int64_t>(options.class_names.size()));
    null.tokens = token_tensor(layout_tokenizer(model, categories).empty());
  }
  if (reads.picture != PictureUse::kLook && !null.picture.defined()) null.picture = r.given.picture;
  if (!null.mask.defined()) null.mask = r.given.mask;
  if (!null.vector.defined()) null.vector = r.given.vector;
}

}  // namespace ldm
