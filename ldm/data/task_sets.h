#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ldm/data/coco.h"
#include "ldm/data/dataset.h"
#include "ldm/data/inpaint_mask.h"
#include "ldm/data/label_map.h"
#include "ldm/data/layout_tokens.h"
#include "ldm/data/neighbours.h"
#include "ldm/data/picture_files.h"
#include "ldm/data/preparation.h"

namespace ldm {

// The data side of each conditioning: sets that give a picture and, in Example::conditions, what goes with
// it. sample() draws crops, flips, masks and degradations from its Draw; get() is the draw (0, 0, index). The
// lists of options leave out size and flip, which are the same for all.

// Any set, each picture mirrored left to right with probability 1/2. Throws kUsage for a set with conditions,
// which would have to be mirrored too: their sets do it by themselves.
DatasetPtr make_mirrored_set(DatasetPtr pictures);

// Super-resolution, as the original's ImageNetSR: a random crop of the file's picture at `size`, and
// "LR_image", the same at size / factor by one of degradation_names().
struct SuperResolutionOptions {
  int64_t size = 256;
  std::string degradation = "bsrgan_light";
  int64_t factor = 4;  // size must be a multiple of it.
  SquareCropOptions crop;
  // Bring "LR_image" back to `size` (Pillow's bicubic kernel), for models that give it to their first stage.
  bool enlarge = false;
  bool flip = false;  // Mirror left to right with probability 1/2.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("degradation", degradation, "cv_*, pil_* (a kernel), bsrgan or bsrgan_light");
    visit("downscale_f", factor, "how many times smaller the low-resolution picture is");
    visit("enlarge", enlarge, "bring it back to the size of the pictures, for a first stage to encode");
    crop.fields(visit);
  }
};
// Throws kUsage for bad options.
DatasetPtr make_super_resolution_set(PictureFiles files, const SuperResolutionOptions& options);

// Inpainting: to each picture of a set a random "mask" (1 where it is to be drawn, else -1) and
// "masked_image" (black there).
DatasetPtr make_inpainting_set(DatasetPtr pictures, const MaskOptions& options);

// A mask [N, 1, H, W] as a concat condition of latents h x w: nearest pixels, upper left.
torch::Tensor mask_for_latents(const torch::Tensor& mask, int64_t height, int64_t width);

// Layouts: a square crop of each picture ("center", "random-1d", "random-2d": taming-transformers' crop
// methods, or "none": squeezed to a square), and "objects_bbox", its tokens.
struct LayoutSetOptions {
  int64_t size = 256;
  std::string crop_method = "random-1d";
  bool flip = true;
  LayoutTokenOptions tokens;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("crop_method", crop_method, "none, center, random-1d or random-2d");
    tokens.fields(visit);
  }
};
// `folder` holds the files that `annotations` names. Captions become the examples' texts.
DatasetPtr make_layout_set(const std::string& folder, CocoSet annotations, LayoutSetOptions options);

// Semantic synthesis: the centred square of each picture and "segmentation", the one-hot map of the label
// picture beside it: labels/x.png for images/x.jpg.
struct SegmentationOptions {
  int64_t size = 256;
  bool flip = false;
  std::string pictures = "images", labels = "labels";  // First part of the path that is replaced.
  int64_t ignore = -1;                                 // A label value that means nothing, -1: none.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("pictures", pictures, "folder of the pictures");
    visit("labels", labels, "folder of the label pictures");
    visit("ignore", ignore, "a label value that means nothing; -1: none");
  }
};
DatasetPtr make_segmentation_set(PictureFiles files, LabelTable table, const SegmentationOptions& options);

// Retrieval: "neighbours" [k, D], the rows of the bank that are nearest to the picture's own row (row i
// belongs to example i), without itself. Searched once, here. Throws kUsage unless the bank has a row for
// each example, and for an approximate search without hnswlib (neighbour_index.h).
enum class NeighbourSearch { kExact, kApproximate };
DatasetPtr make_neighbour_set(DatasetPtr pictures, const NeighbourBank& bank, int64_t k,
                              NeighbourSearch search = NeighbourSearch::kExact);

// An embedding for want of a better one: the picture's 8 x 8 thumbnail, [192] float32. Inverted, so that
// white paper counts for (nearly) nothing, and never all zero.
torch::Tensor thumbnail_embedding(const Image& picture);
// Those of all pictures of a set, in its order.
NeighbourBank thumbnail_bank(const Dataset& pictures);

}  // namespace ldm
