#include "ldm/model/first_stage.h"

#include <string>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/targets.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"

namespace ldm {

std::shared_ptr<FirstStage> make_first_stage(const Node& config, std::string_view where) {
  const auto target = parse_target(config.at("target").text(), std::string(where) + ".target");
  if (target == Target::kIdentity) return std::make_shared<IdentityFirstStage>();
  FirstStageOptions options;
  read_options(config.at("params"), options, std::string(where) + ".params");
  if (target == Target::kAutoencoderKl)
    return std::make_shared<AutoencoderKL>(options.ddconfig, options.embed_dim);
  if (target == Target::kVqModel) {
    check(options.n_embed > 0, where, ".params.n_embed: expected the size of the codebook, got ",
          options.n_embed);
    return std::make_shared<VQModel>(
        options.ddconfig, VectorQuantizerOptions{.n_e = options.n_embed, .e_dim = options.embed_dim});
  }
  fail(ErrorKind::kUsage, where,
       ".target: expected a first stage (autoencoder_kl, vq_model, identity), got '", to_string(target), "'");
}

}  // namespace ldm
