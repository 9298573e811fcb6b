#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

struct Control;  // See model/control.h.

// Where a training picture was cut from a larger one (SDXL, Podell et al. 2023, Sec. 2.2), in pixels.
struct PictureFrame {
  std::array<double, 2> original_size{1024, 1024};  // Height, width before resizing.
  std::array<double, 2> crop_top_left{0, 0};        // Top, left of the cut.
  std::array<double, 2> target_size{1024, 1024};    // Height, width of what is drawn.
};

// How a caption is read. Training reads it as it stands; a prompt may say more.
struct CaptionReading {
  // It has weights and BREAK (text/prompt_weights.h), and may be longer than the encoder reads at once: then
  // it is cut into chunks (text/prompt_chunks.h) whose states stand one behind the other.
  bool prompt = false;
  // CLIP: whose state is taken, 1 the last layer's, 2 the last but one's; 0: the model's own.
  int64_t clip_skip = 0;

  bool operator==(const CaptionReading&) const = default;
};

// What one sample is conditioned on. A model reads the fields that it was trained with and no others.
// Undefined tensors are absent.
struct Condition {
  std::string caption;       // Empty: unconditional.
  int64_t label = -1;        // Class number; -1: unconditional.
  torch::Tensor tokens;      // [T] int64, in place of a caption: a layout's boxes, or prepared text.
  torch::Tensor picture;     // [C, H, W]: in [-1, 1], to be enlarged or repaired; or a one-hot label map.
  torch::Tensor mask;        // [1, H, W] in [0, 1]: 1 where the picture is to be repainted.
  torch::Tensor embeddings;  // [T, D]: tokens made elsewhere (retrieved pictures).
  torch::Tensor vector;      // [A]: a vector made elsewhere.
  PictureFrame frame;
  CaptionReading reading;  // Of the caption; the same for all samples of a batch.
};

// What the network is given. Undefined tensors are absent.
struct Conditioning {
  torch::Tensor context;  // [N, T, D]: tokens for cross-attention.
  torch::Tensor y;        // [N, A], or [N] int64 class ids: added to the time embedding through label_emb.
  torch::Tensor concat;   // [N, C, H, W] of the latents' size: appended to the channels of x.
  std::vector<std::shared_ptr<const Control>> controls;  // ControlNets that steer the whole batch.

  Conditioning to(at::Device device) const;
};

// The two batches one after the other, for guidance in one call. Contexts of different lengths are repeated
// to their least common multiple, which leaves attention as it is. Throws kUsage when one batch lacks what
// the other has; both are steered by the same controls.
Conditioning join_batches(const Conditioning& first, const Conditioning& second);

// What a conditioner takes Condition::picture for.
enum class PictureUse {
  kNone,
  kLowResolution,  // Of the latents' size, to be enlarged.
  kLabelMap,       // One-hot, a channel a label.
  kReference,      // Its latents are appended.
  kInpaint,        // With the mask of what is to be repainted.
  kLook,           // To be varied: CLIP's feature.
};

// What a conditioner reads of a Condition beside caption and label: what has to be in a request, and what
// must not.
struct ConditionReads {
  PictureUse picture = PictureUse::kNone;
  int64_t channels = 3;    // Of the picture.
  int64_t per_latent = 0;  // Pixels of its side for one latent; 0: any size will do.
  int64_t tokens = 0;      // Length of the tokens; 0: it reads none.
  int64_t vocabulary = 0;  // How many different ones there are.
  int64_t embeddings = 0;  // Width of the embeddings; 0: it reads none.
  bool vector = false;
};

// tau of the paper (Sec. 3.3): conditions in, what steers the network out. Its parameters are
// `cond_stage_model.*`.
class Conditioner : public torch::nn::Module {
 public:
  // Throws kUsage for a condition that lacks what this conditioner reads, or that does not fit.
  virtual Conditioning encode(std::span<const Condition> conditions) const = 0;
  // What has to be in the model file besides weights: the tokenizer's vocabulary; empty if there is none.
  virtual std::string vocabulary() const { return {}; }
  // What of a prompt does not fit at once or is not known, in words for the user; empty if all is well.
  virtual std::string complaint(const std::string& /*caption*/) const { return {}; }
  // Whether it reads the caption.
  virtual bool takes_words() const { return false; }
  // Classes that a label can name; 0: it reads no label.
  virtual int64_t classes() const { return 0; }
  // What else it reads of a condition.
  virtual ConditionReads reads() const { return {}; }
  // Whether it gives a map for the channels of x.
  virtual bool gives_map() const { return false; }
  // Whether "no condition" can be encoded: guidance and dropout need it.
  virtual bool has_null() const { return true; }
};

// One field of all conditions, on a new first axis: [N, ...]. Throws kUsage naming `who` and `what` where one
// lacks it or their shapes differ.
torch::Tensor stack_field(std::span<const Condition> conditions, torch::Tensor Condition::*field,
                          std::string_view who, std::string_view what);

}  // namespace ldm
