#include "cli/generate_run.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "cli/output.h"
#include "cli/request_recipe.h"
#include "ldm/image/grid.h"

namespace ldm::cli {
namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

GenerateRun::GenerateRun(const GenerateRequest& request, const PictureStyle& style,
                         const Generator& generator, const Recipe& recipe, OutputFiles& files,
                         PreviewFile* preview, const Context& context)
    : request_(request),
      style_(style),
      generator_(generator),
      recipe_(recipe),
      files_(files),
      preview_(preview),
      context_(context) {}

bool GenerateRun::draw(const std::vector<PromptJob>& jobs) {
  return std::all_of(jobs.begin(), jobs.end(), [this](const PromptJob& job) { return draw_job(job); });
}

bool GenerateRun::draw_job(const PromptJob& job) {
  auto request = request_;
  request.prompt = job.prompt;
  finished_s_ = now_s();
  DrawHooks hooks{.progress = context_.progress(), .log = context_.log(), .stop = context_.stop};
  if (!style_.grid) {
    hooks.finished = [&](int64_t first, std::span<const GeneratedImage> images) {
      const double each = seconds_since_last() / static_cast<double>(images.size());
      for (size_t k = 0; k < images.size(); ++k)
        write(job, static_cast<size_t>(first) + k, images[k].image,
              picture_recipe(recipe_, job.prompt, images[k]), images[k].seed, each);
    };
  }
  if (preview_ != nullptr) preview_->listen(hooks);
  const auto images = generator_.generate(request, hooks);
  context_.terminal->end_bar();
  if (style_.grid && !images.empty()) {
    std::vector<Image> tiles;
    for (const auto& image : images) tiles.push_back(image.image);
    write(job, 0, make_grid(tiles), grid_recipe(recipe_, job.prompt, images), images[0].seed,
          seconds_since_last());
  }
  return images.size() == static_cast<size_t>(request.count);
}

void GenerateRun::write(const PromptJob& job, size_t k, const Image& picture, const Recipe& recipe,
                        uint64_t seed, double seconds) {
  const auto text = style_.recipe ? recipe_text(recipe) : PngText{};
  files_.write(job.names[k], picture_bytes(job.names[k], picture, text, style_.quality));
  written_.push_back({{"file", job.names[k].string()},
                      {"seed", seed},
                      {"prompt", job.prompt},
                      {"width", picture.width},
                      {"height", picture.height},
                      {"seconds", seconds}});
}

double GenerateRun::seconds_since_last() {
  const double last = finished_s_;
  finished_s_ = now_s();
  return finished_s_ - last;
}

}  // namespace ldm::cli
