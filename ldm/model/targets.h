#pragma once

#include <string>
#include <string_view>

namespace ldm {

// What a `target:` in a configuration can name. Each has a short name of ours; the original's class paths are
// aliases.
enum class Target {
  kAutoencoderKl,    // autoencoder_kl        ldm.models.autoencoder.AutoencoderKL
  kVqModel,          // vq_model              ldm.models.autoencoder.VQModel, ...VQModelInterface
  kIdentity,         // identity              torch.nn.Identity, ...IdentityFirstStage
  kLatentDiffusion,  // latent_diffusion      ldm.models.diffusion.ddpm.LatentDiffusion
  kUnet,             // unet                  ldm.modules.diffusionmodules.openaimodel.UNetModel
  kTextTransformer,  // text_transformer      ldm.modules.encoders.modules.BERTEmbedder
  kClassEmbedder,    // class_embedder        ldm.modules.encoders.modules.ClassEmbedder
  kUnconditional,    // unconditional         __is_unconditional__
  kFirstStageFile,   // first_stage_file      a trained first stage in a file of its own: params.path
  kKlLoss,           // kl_loss               ldm.modules.losses.LPIPSWithDiscriminator
  kVqLoss,           // vq_loss               taming.modules.losses.vqperceptual.VQLPIPSWithDiscriminator
};

// Throws kUsage with the nearest known name. `where` is the key's path in the configuration, for the message.
Target parse_target(std::string_view name, std::string_view where);

// The short name.
std::string to_string(Target target);

}  // namespace ldm
