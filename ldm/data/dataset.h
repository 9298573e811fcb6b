#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/random.h"
#include "ldm/data/captions.h"

namespace ldm {

// What is known about one picture without looking at it.
struct ExampleInfo {
  std::string id;  // Its file's path inside the data set, with "/".
  CaptionWords words;
  double weight = 1;   // How often it is drawn, relative to the others; > 0.
  int64_t label = -1;  // Its class, -1 without.
  std::string split;   // "train", "heldout"; empty if the data says nothing.
};

// Where the random numbers of one sample come from: nothing but the run's seed, the number of the batch and
// the place in it, so a resumed run draws what an unbroken one would.
struct Draw {
  uint64_t seed = 0;
  uint64_t batch = 0;
  uint64_t place = 0;

  Random stream(std::string_view purpose) const { return Random(seed, purpose, batch, place); }
};

// What else a model is conditioned on, by the names of the original's batches: "LR_image" [3, h, w], "mask"
// [1, H, W], "masked_image" [3, H, W], "segmentation" [K, H, W], all float32; "objects_bbox" [L] int64;
// "neighbours" [k, D] float32. Pictures are in [-1, 1].
using Conditions = std::map<std::string, torch::Tensor>;

struct Example {
  ExampleInfo info;
  torch::Tensor image;         // [3, H, W] uint8
  Conditions conditions = {};  // All examples of a set have the same, in the same shapes.
};

// A finite list of pictures of one size. All members may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual const ExampleInfo& info(int64_t index) const = 0;
  virtual Example get(int64_t index) const = 0;
  // The example as one draw of a training sees it: cropped, masked or degraded at random. Sets without chance
  // give get(index), and those with chance give one fixed draw there.
  virtual Example sample(int64_t index, const Draw&) const { return get(index); }
  // Whether sample() may give other pictures than get(). Where it does not, what is computed of a picture can
  // be kept, though its conditions may still be drawn.
  virtual bool pictures_vary() const { return false; }
  // What stands for each condition where it is dropped; zeros for those that are not named.
  virtual Conditions null_conditions() const { return {}; }
  // Changes when a picture, its size or the order changes, but not with captions or weights: hexadecimal
  // digits.
  virtual std::string fingerprint() const = 0;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

// Pictures in memory. All images must be uint8 [3, H, W] of one size (kUsage).
DatasetPtr make_memory_dataset(std::vector<Example> examples);

// The examples of another data set at these indices, in this order.
DatasetPtr make_subset(DatasetPtr dataset, std::vector<int64_t> indices);

// Where an example belongs: its own split if it has one, else "heldout" for the given fraction of ids (by
// CRC-32C, so that adding pictures moves no other) and "train" for the rest.
std::string split_of(const ExampleInfo& info, double held_out_fraction);

// The examples of one split. A split with no examples gives an empty data set.
DatasetPtr make_split(const DatasetPtr& dataset, const std::string& split, double held_out_fraction);

}  // namespace ldm
