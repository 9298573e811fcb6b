#include "tests/io/file_builders.h"

#include <zlib.h>

namespace ldm::testing {
namespace {

std::string deflated(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string size_or(int64_t claimed, size_t truth) {
  return le(static_cast<uint32_t>(claimed < 0 ? static_cast<int64_t>(truth) : claimed));
}

std::string pickle_ints(const std::vector<int32_t>& values) {
  std::vector<std::string> items;
  for (const auto value : values) items.push_back(pickle_int(value));
  return pickle_tuple(items);
}

}  // namespace

std::string make_zip(const std::vector<ZipPart>& parts) {
  std::string file, directory;
  for (const auto& part : parts) {
    const std::string data = part.deflate ? deflated(part.content) : part.content;
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(part.content.data()), static_cast<uInt>(part.content.size()));
    const uint16_t method = part.method != 0xFFFF ? part.method : part.deflate ? 8 : 0;
    const std::string common = le(part.flags) + le(method) + le(uint32_t{0}) +
                               size_or(part.claimed_crc, crc) + size_or(part.claimed_stored, data.size()) +
                               size_or(part.claimed_size, part.content.size()) +
                               le(static_cast<uint16_t>(part.name.size())) + le(uint16_t{0});
    directory += "PK\x01\x02" + le(uint16_t{20}) + le(uint16_t{20}) + common + std::string(10, '\0') +
                 size_or(part.claimed_local, file.size()) + part.name;
    file += "PK\x03\x04" + le(uint16_t{20}) + common +
            (part.local_name.empty() ? part.name : part.local_name) + data;
  }
  const auto count = le(static_cast<uint16_t>(parts.size()));
  return file + directory + "PK\x05\x06" + le(uint32_t{0}) + count + count +
         le(static_cast<uint32_t>(directory.size())) + le(static_cast<uint32_t>(file.size())) +
         le(uint16_t{0});
}

std::string pickle_text(std::string_view text) {
  return "X" + le(static_cast<uint32_t>(text.size())) + std::string(text);
}
std::string pickle_global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
std::string pickle_tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const auto& item : items) out += item;
  return out + "t";
}
std::string pickle_int(int32_t value) { return "J" + le(value); }

std::string pickle_tensor(const PickledTensor& t) {
  const std::string id = pickle_tuple({pickle_text("storage"), pickle_global("torch", t.storage),
                                       pickle_text(t.key), pickle_text("cpu"), pickle_int(t.elements)});
  return pickle_global("torch._utils", t.function) +
         pickle_tuple({id + "Q", pickle_int(t.offset), pickle_ints(t.shape), pickle_ints(t.strides), "\x89",
                       pickle_global("collections", "OrderedDict") + ")R"}) +
         "R";
}
std::string pickle_checkpoint(const std::string& value) {
  return "\x80\x02}(" + pickle_text("state_dict") + "}(" + pickle_text("a") + value + "u" +
         pickle_text("global_step") + "K\x07u.";
}

std::string six_floats() {
  std::string out;
  for (int i = 0; i < 6; ++i) out += le(static_cast<float>(i));
  return out;
}

std::string make_torch_zip(const std::string& pickle, const std::string& storage) {
  return make_zip({{.name = "m/data.pkl", .content = pickle},
                   {.name = "m/byteorder", .content = "little"},
                   {.name = "m/data/0", .content = storage.empty() ? six_floats() : storage}});
}

std::string make_torch_legacy(const std::string& pickle, const std::string& storage) {
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  const std::string version("\x80\x02M\xe9\x03.", 6);
  const std::string system = "\x80\x02}" + pickle_text("little_endian") + "\x88s.";
  const std::string keys = "\x80\x02](" + pickle_text("0") + "e.";
  return magic + version + system + pickle + keys + le(int64_t{6}) +
         (storage.empty() ? six_floats() : storage);
}

std::string make_npy(std::string_view header, std::string_view data, int version) {
  const auto length = static_cast<uint16_t>(header.size());
  return std::string("\x93NUMPY") + static_cast<char>(version) + std::string(1, '\0') +
         (version == 1 ? le(length) : le(uint32_t{length})) + std::string(header) + std::string(data);
}
std::string good_npy() {
  return make_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", six_floats());
}
std::string good_npz(bool deflate) {
  return make_zip({{.name = "mu.npy", .content = good_npy(), .deflate = deflate}});
}

std::string gguf_text(std::string_view text) { return le(uint64_t{text.size()}) + std::string(text); }
std::string gguf_entry(std::string_view key, uint32_t type, const std::string& value) {
  return gguf_text(key) + le(type) + value;
}
std::string make_gguf(const GgufText& t) {
  std::string file = le(t.magic) + le(t.version) + le(t.tensors < 0 ? int64_t{1} : t.tensors) +
                     le(t.entries < 0 ? int64_t{t.metadata.empty() ? 0 : 1} : t.entries) + t.metadata +
                     gguf_text(t.name) + le(t.rank) + le(t.size) + le(t.type) + le(t.offset);
  file.resize((file.size() + 31) / 32 * 32);
  return file + t.data;
}

}  // namespace ldm::testing
