#include "ldm/model/targets.h"

#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// The first name of each target is ours.
constexpr std::pair<std::string_view, Target> kNames[] = {
    {"autoencoder_kl", Target::kAutoencoderKl},
    {"ldm.models.autoencoder.AutoencoderKL", Target::kAutoencoderKl},
    {"vq_model", Target::kVqModel},
    {"ldm.models.autoencoder.VQModel", Target::kVqModel},
    {"ldm.models.autoencoder.VQModelInterface", Target::kVqModel},
    {"taming.models.vqgan.VQModel", Target::kVqModel},
    {"identity", Target::kIdentity},
    {"ldm.models.autoencoder.IdentityFirstStage", Target::kIdentity},
    {"torch.nn.Identity", Target::kIdentity},
    {"latent_diffusion", Target::kLatentDiffusion},
    {"ldm.models.diffusion.ddpm.LatentDiffusion", Target::kLatentDiffusion},
    {"unet", Target::kUnet},
    {"ldm.modules.diffusionmodules.openaimodel.UNetModel", Target::kUnet},
    {"text_transformer", Target::kTextTransformer},
    {"ldm.modules.encoders.modules.BERTEmbedder", Target::kTextTransformer},
    {"class_embedder", Target::kClassEmbedder},
    {"ldm.modules.encoders.modules.ClassEmbedder", Target::kClassEmbedder},
    {"unconditional", Target::kUnconditional},
    {"__is_unconditional__", Target::kUnconditional},
    {"first_stage_file", Target::kFirstStageFile},
    {"kl_loss", Target::kKlLoss},
    {"ldm.modules.losses.LPIPSWithDiscriminator", Target::kKlLoss},
    {"vq_loss", Target::kVqLoss},
    {"taming.modules.losses.vqperceptual.VQLPIPSWithDiscriminator", Target::kVqLoss},
    {"ldm.modules.losses.vqperceptual.VQLPIPSWithDiscriminator", Target::kVqLoss},
};

}  // namespace

Target parse_target(std::string_view name, std::string_view where) {
  std::vector<std::string> known;
  for (const auto& [text, target] : kNames) {
    if (text == name) return target;
    known.emplace_back(text);
  }
  fail(ErrorKind::kUsage, where, ": unknown target '", name, "'", nearest_hint(name, known));
}

std::string to_string(Target target) {
  for (const auto& [text, value] : kNames) {
    if (value == target) return std::string(text);
  }
  fail(ErrorKind::kInternal, "to_string: a target without a name");
}

}  // namespace ldm
