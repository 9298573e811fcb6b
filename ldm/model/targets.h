#pragma once

#include <string>
#include <string_view>

namespace ldm {

// What a `target:` in a configuration can name. Each has a short name of ours; the original's class paths are
// aliases.
enum class Target {
  kAutoencoderKl,        // autoencoder_kl        ldm.models.autoencoder.AutoencoderKL
  kVqModel,              // vq_model              ldm.models.autoencoder.VQModel, ...VQModelInterface
  kIdentity,             // identity              torch.nn.Identity, ...IdentityFirstStage
  kLatentDiffusion,      // latent_diffusion      ldm.models.diffusion.ddpm.LatentDiffusion
  kDiffusionEngine,      // diffusion_engine      sgm.models.diffusion.DiffusionEngine
  kUnet,                 // unet                  ldm.modules.diffusionmodules.openaimodel.UNetModel
  kEncoderUnet,          // encoder_unet          ldm.modules.diffusionmodules.openaimodel.EncoderUNetModel
  kTextTransformer,      // text_transformer      ldm.modules.encoders.modules.BERTEmbedder
  kClassEmbedder,        // class_embedder        ldm.modules.encoders.modules.ClassEmbedder
  kSpatialRescaler,      // spatial_rescaler      ldm.modules.encoders.modules.SpatialRescaler
  kFirstStageCondition,  // first_stage           __is_first_stage__
  kClipText,             // clip_text             ldm.modules.encoders.modules.FrozenCLIPEmbedder
  kClipPooledText,       // clip_pooled_text      ldm.modules.encoders.modules.FrozenCLIPTextEmbedder
  kOpenClipText,     // open_clip_text        ldm.modules.encoders.modules.FrozenOpenCLIPEmbedder, sgm's ...2
  kClipImage,        // clip_image            ldm.modules.encoders.modules.FrozenClipImageEmbedder
  kSizeEmbedder,     // size_embedder         sgm.modules.encoders.modules.ConcatTimestepEmbedderND
  kConditionerList,  // conditioner_list      sgm.modules.GeneralConditioner
  kHybridCondition,  // hybrid            ldm.modules.diffusionmodules.util.HybridConditioner
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
