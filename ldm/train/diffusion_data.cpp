#include "ldm/train/diffusion_data.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "ldm/core/random.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/image/resample.h"
#include "ldm/train/batch_conditions.h"
#include "ldm/train/task_common.h"

namespace ldm {

DiffusionData::DiffusionData(const DataSection& options, uint64_t seed, const LogFn& log,
                             const ProgressFn& progress, const StopToken& stop)
    : options_(options),
      seed_(seed),
      data_(open_task_data(options, log, progress, stop)),
      words_alone_(!train()->pictures_vary() && train()->get(0).conditions.empty()),
      order_(weights_of(*train()), options.batch_size, seed) {
  check_caption_options(options.captions);
}

TrainingBatch DiffusionData::draw(int64_t number, const Conditioner* conditioner) {
  auto batch = words_alone_ ? words(number) : examples(number);
  drop_labels(batch, conditioner);
  drop_conditions(batch, data_.dropout, train()->null_conditions(), seed_);
  return {.indices = batch.indices,
          .pictures = train()->pictures_vary() ? batch.images : torch::Tensor(),
          .conditions = to_conditions(batch)};
}

Batch DiffusionData::words(int64_t number) const {
  Batch batch{.number = number, .indices = order_.indices(number)};
  batch.captions = draw_captions(*train(), batch.indices, number, options_.captions, seed_);
  std::vector<int64_t> labels;
  for (const auto index : batch.indices) labels.push_back(train()->info(index).label);
  batch.labels = at::tensor(labels, at::kLong);
  return batch;
}

Batch DiffusionData::examples(int64_t number) {
  if (!loader_ || next_batch_ != number) {
    const LoaderOptions options{.batch_size = options_.batch_size,
                                .seed = seed_,
                                .workers = options_.workers,
                                .captions = options_.captions};
    loader_.emplace(train(), options, number);
  }
  next_batch_ = number + 1;
  return *loader_->next();
}

void DiffusionData::drop_labels(Batch& batch, const Conditioner* conditioner) const {
  const bool reads = conditioner != nullptr && conditioner->classes() > 0;
  auto* labels = batch.labels.mutable_data_ptr<int64_t>();
  for (size_t place = 0; place < batch.indices.size(); ++place) {
    Random random(seed_, "label dropout", static_cast<uint64_t>(batch.number), place);
    const bool dropped = reads && conditioner->has_null() && random.uniform() < options_.captions.dropout;
    if (!reads || dropped) labels[place] = -1;
  }
}

std::vector<Condition> DiffusionData::plain_conditions(const std::vector<int64_t>& indices) const {
  std::vector<Condition> out;
  for (const auto i : indices) {
    // Without conditions of its own an example need not be opened.
    out.push_back(words_alone_ ? Condition() : to_condition(held_out()->get(i).conditions));
    out.back().caption = plain_caption(held_out()->info(i).words);
    out.back().label = held_out()->info(i).label;
  }
  return out;
}

std::optional<Condition> DiffusionData::null_condition() const {
  const bool drops = std::any_of(data_.dropout.begin(), data_.dropout.end(),
                                 [](const auto& entry) { return entry.second > 0; });
  if (!drops) return std::nullopt;
  auto nulls = train()->null_conditions();
  for (const auto& [name, value] : train()->get(0).conditions) nulls.try_emplace(name, at::zeros_like(value));
  return to_condition(nulls);
}

std::vector<ShownExample> DiffusionData::shown_examples(int64_t most) const {
  if (train()->get(0).conditions.empty()) return {};
  const auto& set = held_out()->size() > 0 ? *held_out() : *train();
  std::vector<ShownExample> out;
  for (const auto i : measuring_examples(set, most)) {
    const auto example = set.get(i);
    ShownExample shown{.condition = to_condition(example.conditions),
                       .input = data_.show ? data_.show(example.conditions) : std::nullopt,
                       .truth = picture_of(example.image)};
    shown.condition.caption = plain_caption(example.info.words);
    shown.condition.label = example.info.label;
    if (shown.input)
      shown.input = resize(*shown.input, shown.truth.width, shown.truth.height, Filter::kNearest);
    out.push_back(std::move(shown));
  }
  return out;
}

std::vector<std::string> DiffusionData::caption_corpus() const {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < train()->size(); ++i) {
    const auto& words = train()->info(i).words;
    texts.push_back(words.text);
    texts.insert(texts.end(), words.keywords.begin(), words.keywords.end());
    if (!words.colour.empty()) texts.push_back(words.colour);
    if (!words.style.empty()) texts.push_back(words.style);
  }
  return texts;
}

}  // namespace ldm
