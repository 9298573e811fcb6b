#include "ldm/train/diffusion_data.h"

#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/data/image_folder.h"
#include "ldm/data/loader.h"

namespace ldm {

DiffusionData::DiffusionData(const DataSection& options, uint64_t seed, const LogFn& log,
                             const ProgressFn& progress, const StopToken& stop)
    : options_(options), seed_(seed) {
  check_caption_options(options.captions);
  if (options.flip) log_warning(log, "data.flip has no effect on latents: stage two trains without it");
  const auto folder = open_image_folder({.path = options.path, .size = options.size}, log, progress, stop);
  train_ = make_split(folder.dataset, "train", options.held_out);
  held_out_ = make_split(folder.dataset, "heldout", options.held_out);
  check(train_->size() > 0, ErrorKind::kData, "train: no picture of ", options.path,
        " is in the training split");
  order_.emplace(weights_of(*train_), options.batch_size, seed);
  log_info(log, std::to_string(train_->size()) + " pictures to train on, " +
                    std::to_string(held_out_->size()) + " held out");
}

std::vector<Condition> DiffusionData::draw_conditions(const std::vector<int64_t>& indices, int64_t batch,
                                                      const Conditioner* conditioner) const {
  auto captions = draw_captions(*train_, indices, batch, options_.captions, seed_);
  std::vector<Condition> out;
  for (size_t k = 0; k < indices.size(); ++k) {
    out.push_back(
        {.caption = std::move(captions[k]), .label = draw_label(indices[k], batch, k, conditioner)});
  }
  return out;
}

std::vector<Condition> DiffusionData::plain_conditions(const std::vector<int64_t>& indices) const {
  std::vector<Condition> out;
  for (const auto i : indices) {
    const auto& info = held_out_->info(i);
    out.push_back({.caption = plain_caption(info.words), .label = info.label});
  }
  return out;
}

std::vector<std::string> DiffusionData::caption_corpus() const {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < train_->size(); ++i) {
    const auto& words = train_->info(i).words;
    texts.push_back(words.text);
    texts.insert(texts.end(), words.keywords.begin(), words.keywords.end());
    if (!words.colour.empty()) texts.push_back(words.colour);
    if (!words.style.empty()) texts.push_back(words.style);
  }
  return texts;
}

int64_t DiffusionData::draw_label(int64_t index, int64_t batch, size_t place,
                                  const Conditioner* conditioner) const {
  if (conditioner == nullptr || conditioner->classes() == 0) return -1;
  Random random(seed_, "label dropout", static_cast<uint64_t>(batch), place);
  const bool dropped = conditioner->has_null() && random.uniform() < options_.captions.dropout;
  return dropped ? -1 : train_->info(index).label;
}

}  // namespace ldm
