#pragma once

#include <string>
#include <vector>

namespace ldm::testing {

// A file that must be refused: which reader gets it, what is wrong, its bytes.
struct HostileCase {
  enum class Reader { kSafetensors, kTorch, kNpy, kNpz, kGguf, kIndex, kJson } reader;
  std::string name, bytes;
};

// Hundreds of them: good files cut at every byte, every count and offset lied about, bombs, every opcode that
// a checkpoint does not need, globals that would run code in every way a pickle can name and call them.
std::vector<HostileCase> hostile_cases();

// Good files, to be damaged at random and to show that the refusals are not refusals of everything.
std::vector<HostileCase> good_cases();

// Parts of them: the formats without code in them, and two good tensors in safetensors.
void add_plain_cases(std::vector<HostileCase>& out);
std::string good_safetensors();

}  // namespace ldm::testing
