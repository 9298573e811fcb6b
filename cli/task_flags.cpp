#include "cli/task_flags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "cli/neighbours_in.h"
#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/image/label_picture.h"
#include "ldm/io/file.h"
#include "ldm/pipeline/check_request.h"
#include "ldm/pipeline/class_names.h"
#include "ldm/pipeline/give_conditions.h"
#include "ldm/pipeline/upscale.h"

namespace ldm::cli {
namespace {

double read_strength(const std::string& text) {
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1,
        "--strength: expected a number from 0 to 1, got '", text, "'");
  return value;
}

std::optional<int64_t> plain_number(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::array<int64_t, 4> read_margins(const std::string& text) {
  std::array<int64_t, 4> out{};
  const char* at = text.data();
  const char* const last = text.data() + text.size();
  for (size_t k = 0; k < 4; ++k) {
    const auto [end, error] = std::from_chars(at, last, out[k]);
    const bool separated = k == 3 ? end == last : end != last && *end == ',';
    check(error == std::errc() && separated && out[k] >= 0,
          "--outpaint: expected the pixels to draw beyond the edges as LEFT,TOP,RIGHT,BOTTOM, e.g. "
          "0,0,32,0, got '",
          text, "'");
    at = end + 1;
  }
  check(std::any_of(out.begin(), out.end(), [](int64_t side) { return side > 0; }),
        "--outpaint: expected a margin to draw, got '", text, "'");
  return out;
}

// -1 stands for none.
int64_t class_number(const std::string& text, std::span<const std::string> names,
                     const LatentDiffusion& model) {
  const auto* conditioner = model.conditioner();
  const auto classes = conditioner != nullptr ? conditioner->classes() : 0;
  check(classes > 0 || text == "-1", "generate: this model takes ", taken_by(model),
        ", not a class; got class ", text);
  return text == "-1" ? -1 : find_class(text, names, classes);
}

void add_condition_options(CLI::App* verb, TaskFlags& flags) {
  begin_section(verb, "What to follow, where the model was trained to");
  add_option(verb, "--class", flags.class_name, "class by name or number");
  add_file_option(verb, "--class-names", flags.class_names,
                  "names of the classes or categories, one a line, where the model's file has none");
  add_file_option(verb, "--segmentation", flags.segmentation,
                  "a label map: grey values or palette indices are labels");
  add_file_option(verb, "--labels", flags.labels,
                  "which value is what, as '7 grass' a line, where the model's file does not say");
  add_file_option(verb, "--layout", flags.layout,
                  "boxes as JSON: [{\"category\": \"dog\", \"bbox\": [x, y, w, h]}, ...], COCO, or tokens");
  add_file_option(verb, "--upscale", flags.upscale,
                  "a small picture to enlarge as many times as the model was trained to");
  add_file_option(verb, "--variation-of", flags.variation_of, "a picture to vary");
  add_file_option(verb, "--neighbours", flags.neighbours,
                  "for retrieval: embeddings (safetensors), or pictures whose thumbnails stand for them");
  add_file_option(verb, "--nearest-to", flags.nearest_to,
                  "of them take the nearest to this picture or embedding");
  verb->add_option("--nearest", flags.nearest, "how many; without it 4");
}

}  // namespace

void add_task_options(CLI::App* verb, TaskFlags& flags) {
  begin_section(verb, "A picture to begin with");
  add_file_option(verb, "--init-image", flags.init_image,
                  "a picture of any size; --size resizes it, without it its own size is drawn");
  add_option(verb, "--strength", flags.strength,
             "how far from it to go, 0 (not at all) to 1; without it 0.75, with a mask 1");
  add_option(verb, "--strength-rule", flags.strength_rule,
             "which steps a strength leaves: diffusers (without it), ldm (the original) or a1111");
  add_file_option(verb, "--mask", flags.mask,
                  "what of it to draw anew: white; black is kept. Without it what is transparent");
  add_option(verb, "--feather", flags.feather, "pixels over which the mask fades out beyond its edge");
  add_option(verb, "--outpaint", flags.outpaint,
             "pixels to draw beyond its edges: LEFT,TOP,RIGHT,BOTTOM, e.g. 0,0,32,0");
  verb->add_option("--subseed", flags.subseed,
                   "variations of one seed: another seed whose noise is mixed in; picture k has subseed + k");
  verb->add_option("--subseed-strength", flags.subseed_strength, "how much of it, 0 to 1");
  add_condition_options(verb, flags);
}

void read_task_flags(const TaskFlags& flags, GenerateRequest& request) {
  auto& edit = request.edit;
  if (!flags.init_image.empty()) edit.picture = read_image(flags.init_image);
  if (!flags.mask.empty()) edit.mask = read_image(flags.mask);
  if (!flags.outpaint.empty()) edit.outpaint = read_margins(flags.outpaint);
  if (!flags.strength.empty()) edit.strength = read_strength(flags.strength);
  edit.feather = flags.feather;
  if (!flags.strength_rule.empty()) {
    edit.rule = parse_strength_rule(flags.strength_rule);
    check(!edit.picture.empty(), "--strength-rule: expected --init-image, whose strength it counts");
  }
  request.label = plain_number(flags.class_name).value_or(-1);  // A name is looked up in the model.
  check(flags.subseed.has_value() == flags.subseed_strength.has_value(),
        "--subseed: expected --subseed with --subseed-strength, got one without the other");
  request.variation = {.seed = flags.subseed.value_or(0), .strength = flags.subseed_strength.value_or(0)};
}

void bind_task_flags(const TaskFlags& flags, const LatentDiffusion& model, GenerateRequest& request) {
  auto names = model.options().class_names;
  if (!flags.class_names.empty()) {
    check(!flags.class_name.empty() || !flags.layout.empty(),
          "--class-names: expected --class or --layout, which the names are for");
    names = read_class_names(flags.class_names);
  }
  if (!flags.class_name.empty()) request.label = class_number(flags.class_name, names, model);
  check(flags.labels.empty() || !flags.segmentation.empty(),
        "--labels: expected --segmentation, a map of those labels");
  if (!flags.segmentation.empty()) {
    const auto table = flags.labels.empty() ? std::nullopt : std::optional(read_label_table(flags.labels));
    give_label_map(model, read_label_picture(flags.segmentation), flags.segmentation, table, request);
  }
  if (!flags.layout.empty())
    give_layout(model, MappedFile(flags.layout).bytes(), flags.layout, names, request);
  if (!flags.upscale.empty()) give_small_picture(model, read_image(flags.upscale), request);
  if (!flags.variation_of.empty()) give_look(model, read_image(flags.variation_of), request);
  check(flags.nearest_to.empty() || !flags.neighbours.empty(),
        "--nearest-to: expected --neighbours, embeddings to search");
  check(!flags.nearest || !flags.nearest_to.empty(),
        "--nearest: expected --nearest-to, what they are near to");
  if (!flags.neighbours.empty())
    give_neighbours(model, read_neighbours(flags.neighbours, flags.nearest_to, flags.nearest.value_or(4)),
                    request);
}

}  // namespace ldm::cli
