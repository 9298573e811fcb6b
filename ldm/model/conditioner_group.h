#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ldm/model/conditioner.h"

namespace ldm {

// Several conditioners side by side, joined along the channels of each part: SDXL's two text encoders and its
// sizes (the original's GeneralConditioner), or a map with words (HybridConditioner).
class ConditionerGroup : public Conditioner {
 public:
  struct Member {
    std::string name;  // Dotted: "embedders.0".
    std::shared_ptr<Conditioner> conditioner;
  };

  // zero_when_empty: the parts made of words are zero for an empty caption, as SDXL was trained.
  ConditionerGroup(std::vector<Member> members, bool zero_when_empty);
  Conditioning encode(std::span<const Condition> conditions) const override;
  std::string vocabulary() const override;
  std::string complaint(const std::string& caption) const override;
  ConditionReads reads() const override;
  bool takes_words() const override;
  int64_t classes() const override;
  bool gives_map() const override;
  bool has_null() const override;

 private:
  std::vector<Member> members_;
  bool zero_when_empty_;
};

}  // namespace ldm
