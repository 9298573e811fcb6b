#pragma once

#include <cstdint>
#include <string>

namespace ldm {

// How many pieces the vocabulary of OpenAI's CLIP has. Every published Stable Diffusion reads it, and none of
// their single files carries it, so the program does.
inline constexpr int64_t kOpenAiClipPieces = 49408;

// That vocabulary as ClipTokenizer::from_vocab takes it (and to_vocab gives it): its 48894 merges.
std::string openai_clip_vocabulary();

}  // namespace ldm
