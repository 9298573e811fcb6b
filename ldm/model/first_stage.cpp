#include "ldm/model/first_stage.h"

#include <ATen/core/Tensor.h>

#include <string>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/npy.h"
#include "ldm/model/targets.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/stored_tensor.h"

namespace ldm {
namespace {

// The integers of a .npy file, of any shape.
std::vector<int64_t> read_codes(const std::string& path) {
  const MappedFile file(path);
  const auto array = stored_tensor(parse_npy(file.bytes(), path), file.owner(), Stored::kMapped);
  const auto codes = array.to(at::kLong).contiguous();
  return {codes.const_data_ptr<int64_t>(), codes.const_data_ptr<int64_t>() + codes.numel()};
}

}  // namespace

VectorQuantizerOptions quantizer_options(const FirstStageOptions& o, std::string_view where) {
  check(o.n_embed > 0, where, ".n_embed: expected the size of the codebook, got ", o.n_embed);
  return {.n_e = o.n_embed,
          .e_dim = o.embed_dim,
          .legacy = o.legacy_beta,
          .sane_index_shape = o.sane_index_shape,
          .used = o.remap.empty() ? std::vector<int64_t>{} : read_codes(o.remap),
          .unknown = o.unknown_index};
}

std::shared_ptr<FirstStage> make_first_stage(const Node& config, std::string_view where) {
  const auto target = parse_target(config.at("target").text(), std::string(where) + ".target");
  if (target == Target::kIdentity) return std::make_shared<IdentityFirstStage>();
  FirstStageOptions options;
  read_options(config.at("params"), options, std::string(where) + ".params");
  if (target == Target::kAutoencoderKl)
    return std::make_shared<AutoencoderKL>(options.ddconfig, options.embed_dim);
  if (target == Target::kVqModel)
    return std::make_shared<VQModel>(options.ddconfig,
                                     quantizer_options(options, std::string(where) + ".params"));
  fail(ErrorKind::kUsage, where,
       ".target: expected a first stage (autoencoder_kl, vq_model, identity), got '", to_string(target), "'");
}

}  // namespace ldm
