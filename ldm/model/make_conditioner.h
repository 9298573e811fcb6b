#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ldm/config/node.h"
#include "ldm/model/conditioner.h"
#include "ldm/model/wiring.h"
#include "ldm/nn/first_stage.h"

namespace ldm {

// What helps where a text encoder has no vocabulary.
inline constexpr char kVocabularyHint[] =
    "; hint: ldm convert IN OUT --vocabulary vocab.txt (of bert-base-uncased for the original's models)";

// What a conditioner may need besides its own settings.
struct ConditionerSetting {
  Wiring wiring;                            // How the network takes the condition.
  std::string vocabulary;                   // The tokenizer's, from the model file.
  std::shared_ptr<FirstStage> first_stage;  // For pictures as conditions.
  int64_t concat_channels = 0;  // Channels that the network expects of a map, beyond those of the latents.
  int64_t context_dim = 0;      // Width of the network's context; 0: it has none.
  int64_t classes = 0;          // Class ids that the network's label_emb knows; 0: it has no table.
};

// A freshly started conditioner from {target, params}, or null for __is_unconditional__; `where` is that
// node's path in the configuration, for messages. Throws kUsage; kFormat for a vocabulary that does not fit.
std::shared_ptr<Conditioner> make_conditioner(const Node& config, const ConditionerSetting& setting,
                                              const std::string& where);

}  // namespace ldm
