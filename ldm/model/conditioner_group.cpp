#include "ldm/model/conditioner_group.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/nn/layers.h"

namespace ldm {
namespace {

void append_part(torch::Tensor& part, const torch::Tensor& more, int64_t axis) {
  if (!more.defined()) return;
  part = part.defined() ? at::cat({part, more.to(part.options())}, axis) : more;
}

// Rows of empty captions set to zero.
torch::Tensor zero_rows(const torch::Tensor& part, const torch::Tensor& empty) {
  if (!part.defined()) return part;
  auto shape = std::vector<int64_t>(static_cast<size_t>(part.dim()), 1);
  shape.front() = -1;
  return part.masked_fill(empty.to(part.device()).view(shape), 0.0);
}

torch::Tensor empty_captions(std::span<const Condition> conditions) {
  auto empty = at::empty({static_cast<int64_t>(conditions.size())}, at::kBool);
  auto* out = empty.data_ptr<bool>();
  for (const auto& condition : conditions) *out++ = condition.caption.empty() && !condition.tokens.defined();
  return empty;
}

}  // namespace

ConditionerGroup::ConditionerGroup(std::vector<Member> members, bool zero_when_empty)
    : members_(std::move(members)), zero_when_empty_(zero_when_empty) {
  check(!members_.empty(), "conditioner_list: expected at least one conditioner");
  for (const auto& member : members_) {
    check(member.conditioner != nullptr, member.name, ": expected a conditioner, got unconditional");
    add(*this, member.name, member.conditioner);
  }
}

Conditioning ConditionerGroup::encode(std::span<const Condition> conditions) const {
  Conditioning out;
  for (const auto& member : members_) {
    auto part = member.conditioner->encode(conditions);
    if (zero_when_empty_ && member.conditioner->takes_words()) {
      const auto empty = empty_captions(conditions);
      part = {
          .context = zero_rows(part.context, empty), .y = zero_rows(part.y, empty), .concat = part.concat};
    }
    append_part(out.context, part.context, /*axis=*/2);
    append_part(out.y, part.y, /*axis=*/1);
    append_part(out.concat, part.concat, /*axis=*/1);
  }
  return out;
}

std::string ConditionerGroup::vocabulary() const {
  for (const auto& member : members_) {
    if (auto words = member.conditioner->vocabulary(); !words.empty()) return words;
  }
  return {};
}

std::string ConditionerGroup::complaint(const std::string& caption) const {
  for (const auto& member : members_) {
    if (auto words = member.conditioner->complaint(caption); !words.empty()) return words;
  }
  return {};
}

ConditionReads ConditionerGroup::reads() const {
  ConditionReads out;
  for (const auto& member : members_) {
    const auto part = member.conditioner->reads();
    if (part.picture != PictureUse::kNone) {
      out.picture = part.picture;
      out.channels = part.channels;
      out.per_latent = part.per_latent;
    }
    if (part.tokens > 0) {
      out.tokens = part.tokens;
      out.vocabulary = part.vocabulary;
    }
    out.embeddings = std::max(out.embeddings, part.embeddings);
    out.vector = out.vector || part.vector;
  }
  return out;
}

bool ConditionerGroup::takes_words() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& m) { return m.conditioner->takes_words(); });
}

int64_t ConditionerGroup::classes() const {
  int64_t most = 0;
  for (const auto& member : members_) most = std::max(most, member.conditioner->classes());
  return most;
}

bool ConditionerGroup::gives_map() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& m) { return m.conditioner->gives_map(); });
}

bool ConditionerGroup::has_null() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& m) { return m.conditioner->has_null(); });
}

}  // namespace ldm
