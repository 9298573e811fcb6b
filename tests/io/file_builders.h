#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Small files of every format that is read, byte by byte, so that tests can also make wrong ones.
namespace ldm::testing {

// A number as it lies in a file, little-endian.
template <typename T>
std::string le(T value) {
  std::string out(sizeof(T), '\0');
  __builtin_memcpy(out.data(), &value, sizeof(T));
  return out;
}

// One entry of an archive. The fields that a liar would change can be set; -1: the truth.
struct ZipPart {
  std::string name, content;
  bool deflate = false;
  int64_t claimed_size = -1, claimed_crc = -1, claimed_stored = -1, claimed_local = -1;
  uint16_t method = 0xFFFF, flags = 0;
  std::string local_name;  // The name in front of the data; empty: the same.
};
std::string make_zip(const std::vector<ZipPart>& parts);

// Pickles. A text, a global, and the call of a global with no arguments, as opcodes.
std::string pickle_text(std::string_view text);
std::string pickle_global(std::string_view module, std::string_view name);
std::string pickle_tuple(const std::vector<std::string>& items);
std::string pickle_int(int32_t value);

// What _rebuild_tensor_v2 is given.
struct PickledTensor {
  std::string storage = "FloatStorage", key = "0", function = "_rebuild_tensor_v2";
  int32_t elements = 6, offset = 0;
  std::vector<int32_t> shape{2, 3}, strides{3, 1};
};
std::string pickle_tensor(const PickledTensor& tensor);
// {"state_dict": {"a": value}, "global_step": 7}, whole.
std::string pickle_checkpoint(const std::string& value);

// The two forms of torch.save around a pickle, with storage "0" of six floats 0..5.
std::string make_torch_zip(const std::string& pickle, const std::string& storage = {});
std::string make_torch_legacy(const std::string& pickle, const std::string& storage = {});
std::string six_floats();

std::string make_npy(std::string_view header, std::string_view data, int version = 1);
std::string good_npy();  // float32 [2, 3], 0..5
std::string good_npz(bool deflate);

struct GgufText {
  uint32_t magic = 0x46554747, version = 3;
  int64_t tensors = -1, entries = -1;  // -1: the truth.
  uint32_t rank = 1, type = 0;
  uint64_t size = 8, offset = 0;
  std::string metadata;  // Encoded entries, as many as entries says.
  std::string name = "a";
  std::string data = std::string(32, '\0');
};
std::string make_gguf(const GgufText& text);
std::string gguf_entry(std::string_view key, uint32_t type, const std::string& value);
std::string gguf_text(std::string_view text);

}  // namespace ldm::testing
