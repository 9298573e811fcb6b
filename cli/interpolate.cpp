// `ldm interpolate`: from prompt to prompt, seed to seed, picture to picture.
#include "ldm/pipeline/interpolate.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/draw_model.h"
#include "cli/frame_sink.h"
#include "cli/latents_file.h"
#include "cli/memory_flag.h"
#include "cli/name_pattern.h"
#include "cli/print_json.h"
#include "cli/recipe_options.h"
#include "cli/request_recipe.h"
#include "cli/sampling_flags.h"
#include "cli/shipped_model.h"
#include "cli/start_torch.h"
#include "cli/user_text.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/image/decode.h"
#include "ldm/image/resample.h"
#include "ldm/io/printable.h"
#include "ldm/pipeline/coded_picture.h"
#include "ldm/pipeline/generator.h"
#include "ldm/pipeline/pictures.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

struct InterpolateFlags {
  GenerateRequest request;  // Its count is the number of frames.
  ModelFlags model;
  SamplingFlags sampling;
  FrameFlags frames;
  std::vector<std::string> prompts, images;
  std::string seeds = "random", latents, size, memory, tile, mode = "lerp", noise = "cpu";
  bool closed = false;
};

std::vector<uint64_t> read_seeds(const std::string& text) {
  std::vector<uint64_t> seeds;
  for (size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    seeds.push_back(read_seed(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return seeds;
}

// Each prompt with its seed; one of either goes with all of the other.
std::vector<PathPlace> read_places(const InterpolateFlags& flags) {
  const auto seeds = read_seeds(flags.seeds);
  auto prompts = flags.prompts;
  if (prompts.empty()) prompts.emplace_back();
  const auto count = std::max(prompts.size(), seeds.size());
  check(
      count >= 2,
      "interpolate: expected two prompts or more, or several --seeds, --images or --latents; got one prompt "
      "and one seed");
  check((prompts.size() == 1 || prompts.size() == count) && (seeds.size() == 1 || seeds.size() == count),
        "interpolate: expected as many seeds as prompts, or one; got ", prompts.size(), " prompts and ",
        seeds.size(), " seeds");
  std::vector<PathPlace> places;
  for (size_t k = 0; k < count; ++k)
    places.push_back({prompts[std::min(k, prompts.size() - 1)], seeds[std::min(k, seeds.size() - 1)]});
  return places;
}

// Frames by diffusion. Whether all were finished.
bool draw_frames(InterpolateFlags& flags, FrameSink& sink, const Context& context) {
  const Generator generator(open_draw_model(flags.model, context));
  flags.request.memory = memory_budget(flags.memory, context);
  DrawHooks hooks{.progress = context.progress(), .log = context.log(), .stop = context.stop};
  hooks.finished = [&](int64_t, std::span<const GeneratedImage> images) {
    for (const auto& image : images) sink.take(image.image);
  };
  return generator.generate(flags.request, hooks).size() == static_cast<size_t>(flags.request.count);
}

// The picture scaled until it covers width x height, and its middle.
Image covering(const Image& image, int64_t width, int64_t height) {
  if (image.width == width && image.height == height) return image;
  const double scale = std::max(static_cast<double>(width) / static_cast<double>(image.width),
                                static_cast<double>(height) / static_cast<double>(image.height));
  const auto scaled = [&](int64_t side, int64_t least) {
    return std::max(least, static_cast<int64_t>(std::lround(scale * static_cast<double>(side))));
  };
  return centre_crop(
      resize(image, scaled(image.width, width), scaled(image.height, height), Filter::kBicubic), width,
      height);
}

// Latents [K, C, h, w] of the places, and the size of their pictures.
struct CodedPlaces {
  torch::Tensor latents;
  int64_t width = 0, height = 0;
};

CodedPlaces encode_places(const InterpolateFlags& flags, const FirstStage& stage,
                          const CodingLimits& limits) {
  CodedPlaces out{.latents = {}, .width = flags.request.width, .height = flags.request.height};
  std::vector<torch::Tensor> rows;
  for (const auto& file : flags.images) {
    const auto image = to_rgb(read_image(file));
    if (out.width == 0) {  // All get the first one's size.
      out.width = image.width;
      out.height = image.height;
    }
    rows.push_back(encode_picture(stage, covering(image, out.width, out.height), limits));
  }
  out.latents = at::cat(rows);
  return out;
}

// Pictures of other sizes may have latents of one size: then no frame shows more than all of them have.
CodedPlaces read_latents(const std::string& path, const FirstStage& stage, at::Device device) {
  const auto stored = read_latents_file(path, stage);
  check(stored.size() >= 2, ErrorKind::kData, path, ": expected two latents or more, got ", stored.size());
  CodedPlaces out{.latents = {}, .width = stored[0].width, .height = stored[0].height};
  std::vector<torch::Tensor> rows;
  for (const auto& one : stored) {
    check(one.tensor.sizes() == stored[0].tensor.sizes(), ErrorKind::kData, path,
          ": expected latents of one size, got ", stored[0].tensor.sizes(), " and ", printable(one.name), " ",
          one.tensor.sizes());
    rows.push_back(one.tensor);
    out.width = std::min(out.width, one.width);
    out.height = std::min(out.height, one.height);
  }
  out.latents = at::stack(rows).to(device);
  return out;
}

// The file that --first-stage or -m names.
const std::string& named_first_stage(const ModelFlags& flags) {
  return flags.first_stage.empty() ? flags.model : flags.first_stage;
}

// Frames between pictures as the first stage sees them, without diffusion. Whether all were finished.
bool decode_frames(const InterpolateFlags& flags, FrameSink& sink, const Context& context) {
  const auto stage = open_first_stage(named_first_stage(flags.model), context);
  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  try {
    const auto places = flags.latents.empty() ? encode_places(flags, *stage, limits)
                                              : read_latents(flags.latents, *stage, pick_device(context));
    const auto frames = flags.request.count;
    for (int64_t k = 0; k < frames && !context.stop.requested(); ++k) {
      const auto at = path_position(static_cast<size_t>(places.latents.size(0)), flags.closed, frames, k);
      const auto latents = mix_latents(places.latents, {at}, flags.request.path.mix);
      sink.take(to_images(decode_picture(*stage, latents, places.width, places.height, limits)).front());
      report(context.progress(),
             {.stage = "decoding", .done = k + 1, .total = frames, .detail = {}, .unit = "frames"});
    }
  } catch (const Stopped&) {
  }
  return !context.stop.requested();
}

std::string default_stem(const InterpolateFlags& flags) {
  if (!flags.images.empty()) return slug(fs::path(flags.images[0]).stem().string(), -1);
  return slug(flags.prompts.empty() ? "interpolation" : flags.prompts[0], -1);
}

// Pictures and latents are mixed without diffusion: what only diffusion reads would be passed over.
void check_coded_options(const CLI::App& verb, const InterpolateFlags& flags) {
  constexpr std::string_view kRead[] = {"--images",      "--latents", "--frames",  "--closed",
                                        "--mode",        "--model",   "--size",    "--memory",
                                        "--first-stage", "--device",  "--threads", "--quiet"};
  const char* what = flags.images.empty() ? "--latents" : "--images";
  for (const auto* option : verb.get_options()) {
    if (option->count() == 0 || option->get_group() == kOutputSection) continue;
    const auto name = "--" + (option->get_lnames().empty() ? option->get_name() : option->get_lnames()[0]);
    const bool read = std::find(std::begin(kRead), std::end(kRead), name) != std::end(kRead);
    check(read && (name != "--size" || flags.latents.empty()), what, ": ", name,
          " does not count there; expected none");
  }
}

void check_texts(const InterpolateFlags& flags) {
  for (const auto& prompt : flags.prompts) check_text(prompt, "the prompt");
  check_text(flags.request.negative_prompt, "--negative");
}

// Fills in the fields of the names, of which the animation has one each.
void expand_names(InterpolateFlags& flags) {
  constexpr std::string_view kDrawn[] = {"prompt",  "seed",  "date",     "time",
                                         "sampler", "steps", "guidance", "model"};
  constexpr std::string_view kCoded[] = {"prompt", "date", "time"};
  const auto& places = flags.request.path.places;
  auto fields = request_fields(flags.request, flags.model.model.empty() ? "emoji" : flags.model.model);
  fields.prompt = default_stem(flags);
  if (!places.empty()) fields.seed = places[0].seed;
  const auto known = places.empty() ? std::span<const std::string_view>(kCoded) : kDrawn;
  for (auto* name : {&flags.frames.out, &flags.frames.sheet, &flags.frames.pictures})
    *name = NamePattern(*name, known).expand(fields);
}

void read_flags(const CLI::App& verb, InterpolateFlags& flags) {
  auto& request = flags.request;
  check(flags.prompts.empty() + flags.images.empty() + flags.latents.empty() >= 2,
        "interpolate: expected prompts, --images or --latents, got several of them");
  check(flags.images.size() != 1, "--images: expected two pictures or more, got one");
  check(request.count >= 2 && request.count <= 10000, "--frames: expected 2 to 10000, got ", request.count);
  const bool coded = !flags.images.empty() || !flags.latents.empty();
  if (coded) check_coded_options(verb, flags);
  check_texts(flags);
  request.noise = parse_noise_kind(flags.noise);
  request.path.mix = parse_mix_rule(flags.mode);
  request.path.closed = flags.closed;
  read_sampling_flags(flags.sampling, request);
  read_size(flags.size, request);
  request.tile = read_tile(flags.tile);
  if (!coded) request.path.places = read_places(flags);
  expand_names(flags);
}

int interpolate(const CLI::App& verb, InterpolateFlags& flags, const Context& context) {
  read_flags(verb, flags);
  FrameSink sink(flags.frames, default_stem(flags), flags.request.count);
  const auto began = std::chrono::steady_clock::now();
  const bool finished =
      flags.request.path.empty() ? decode_frames(flags, sink, context) : draw_frames(flags, sink, context);
  context.terminal->end_bar();
  auto result = sink.finish();
  if (!finished) log_warning(context.log(), "stopped; the frames that were finished are kept");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  result["seconds"] = took.count();
  if (flags.frames.json) {
    print_json(result);
  } else {
    for (const auto& file : result["files"]) std::cout << file.get<std::string>() << '\n';
  }
  return finished ? 0 : 1;
}

void add_places(CLI::App* verb, InterpolateFlags& flags) {
  verb->add_option("prompts", flags.prompts, "two prompts or more, in their order");
  begin_section(verb, "What to go between");
  add_option(verb, "--seeds", flags.seeds, "one for all prompts, or one each with commas between; or random");
  add_file_option(verb, "--images", flags.images,
                  "pictures instead of prompts, as the first stage sees them");
  add_file_option(verb, "--latents", flags.latents,
                  "or latents, a file of ldm encode, in the order of names");
  add_option(verb, "--frames", flags.request.count,
             "how many pictures, the first and the last place included");
  verb->add_flag("--closed", flags.closed, "go back to the first place, for an animation without an end");
  add_option(verb, "--mode", flags.mode, "lerp or slerp: how prompts and latents are mixed (noise: slerp)");
  add_option(verb, "--negative", flags.request.negative_prompt, "what not to draw");
  add_model_options(verb, flags.model);
  add_option(verb, "--clip-skip", flags.request.clip_skip,
             "models with CLIP: 1 reads its last layer, 2 the last but one; 0: as the model was trained");
  add_option(verb, "--noise", flags.noise,
             "noise stream: cpu (as PyTorch on the CPU) or philox (as on CUDA)");
}

}  // namespace

void add_interpolate(CLI::App& app, Context& context) {
  auto* verb = add_verb(
      app, context, "interpolate", "draws what lies between prompts, seeds or pictures",
      {{"ldm interpolate \"a red heart\" \"a blue heart\" --frames 24 -o morph.webp",
        "one seed, two prompts"},
       {"ldm interpolate rocket --seeds 1,2,3 --closed --sheet sheet.png", "one prompt, round three seeds"},
       {"ldm interpolate --images a.png b.png --ping-pong -o between.webp", "pictures, there and back"}});
  auto flags = std::make_shared<InterpolateFlags>();
  flags->request.count = 24;
  add_places(verb, *flags);
  add_sampling_options(verb, flags->request, flags->sampling);
  begin_section(verb, "Size and memory");
  add_option(verb, "--size", flags->size,
             "WIDTHxHEIGHT in pixels; without it the model's or first picture's");
  add_option(verb, "--batch", flags->request.batch_size, "most frames drawn at once");
  add_memory_option(verb, flags->memory);
  add_tile_option(verb, flags->tile);
  begin_section(verb, kOutputSection);
  add_frame_options(verb, flags->frames);
  add_compute_options(verb, context);
  set_run(verb, context, [verb, flags, &context] { return interpolate(*verb, *flags, context); });
}

}  // namespace ldm::cli
