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
    {"sgm.models.autoencoder.AutoencoderKL", Target::kAutoencoderKl},
    {"sgm.models.autoencoder.AutoencoderKLInferenceWrapper", Target::kAutoencoderKl},
    {"vq_model", Target::kVqModel},
    {"ldm.models.autoencoder.VQModel", Target::kVqModel},
    {"ldm.models.autoencoder.VQModelInterface", Target::kVqModel},
    {"taming.models.vqgan.VQModel", Target::kVqModel},
    {"identity", Target::kIdentity},
    {"ldm.models.autoencoder.IdentityFirstStage", Target::kIdentity},
    {"sgm.models.autoencoder.IdentityFirstStage", Target::kIdentity},
    {"torch.nn.Identity", Target::kIdentity},
    {"ldm.modules.losses.contperceptual.DummyLoss", Target::kIdentity},  // No loss: a first stage in use.
    {"taming.modules.losses.vqperceptual.DummyLoss", Target::kIdentity},
    {"latent_diffusion", Target::kLatentDiffusion},
    {"ldm.models.diffusion.ddpm.LatentDiffusion", Target::kLatentDiffusion},
    {"ldm.models.diffusion.ddpm.Layout2ImgDiffusion", Target::kLatentDiffusion},
    {"ldm.models.diffusion.ddpm.LatentInpaintDiffusion", Target::kLatentDiffusion},
    {"diffusion_engine", Target::kDiffusionEngine},
    {"sgm.models.diffusion.DiffusionEngine", Target::kDiffusionEngine},
    {"unet", Target::kUnet},
    {"ldm.modules.diffusionmodules.openaimodel.UNetModel", Target::kUnet},
    {"sgm.modules.diffusionmodules.openaimodel.UNetModel", Target::kUnet},
    {"encoder_unet", Target::kEncoderUnet},
    {"ldm.modules.diffusionmodules.openaimodel.EncoderUNetModel", Target::kEncoderUnet},
    {"text_transformer", Target::kTextTransformer},
    {"ldm.modules.encoders.modules.BERTEmbedder", Target::kTextTransformer},
    {"class_embedder", Target::kClassEmbedder},
    {"ldm.modules.encoders.modules.ClassEmbedder", Target::kClassEmbedder},
    {"sgm.modules.encoders.modules.ClassEmbedder", Target::kClassEmbedder},
    {"spatial_rescaler", Target::kSpatialRescaler},
    {"ldm.modules.encoders.modules.SpatialRescaler", Target::kSpatialRescaler},
    {"first_stage", Target::kFirstStageCondition},
    {"__is_first_stage__", Target::kFirstStageCondition},
    {"clip_text", Target::kClipText},
    {"ldm.modules.encoders.modules.FrozenCLIPEmbedder", Target::kClipText},
    {"sgm.modules.encoders.modules.FrozenCLIPEmbedder", Target::kClipText},
    {"clip_pooled_text", Target::kClipPooledText},
    {"ldm.modules.encoders.modules.FrozenCLIPTextEmbedder", Target::kClipPooledText},
    {"open_clip_text", Target::kOpenClipText},
    {"ldm.modules.encoders.modules.FrozenOpenCLIPEmbedder", Target::kOpenClipText},
    {"sgm.modules.encoders.modules.FrozenOpenCLIPEmbedder", Target::kOpenClipText},
    {"sgm.modules.encoders.modules.FrozenOpenCLIPEmbedder2", Target::kOpenClipText},
    {"clip_image", Target::kClipImage},
    {"ldm.modules.encoders.modules.FrozenClipImageEmbedder", Target::kClipImage},
    {"size_embedder", Target::kSizeEmbedder},
    {"sgm.modules.encoders.modules.ConcatTimestepEmbedderND", Target::kSizeEmbedder},
    {"conditioner_list", Target::kConditionerList},
    {"sgm.modules.GeneralConditioner", Target::kConditionerList},
    {"hybrid", Target::kHybridCondition},
    {"ldm.modules.diffusionmodules.util.HybridConditioner", Target::kHybridCondition},
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
