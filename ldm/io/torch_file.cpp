#include "ldm/io/torch_file.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/byte_reader.h"
#include "ldm/io/file.h"
#include "ldm/io/printable.h"
#include "ldm/io/torch_globals.h"
#include "ldm/io/torch_tree.h"
#include "ldm/io/zip.h"

namespace ldm {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
// The same number as pickles of protocols 0 and 1 begin, which are text.
constexpr std::string_view kTextMagic = "L119547037146038801333356L\n";
constexpr int64_t kLegacyProtocol = 1001;

// The one record that is called "<folder>/data.pkl".
const ZipEntry& find_pickle(const ZipArchive& archive) {
  const ZipEntry* found = nullptr;
  for (const auto& entry : archive.entries()) {
    const std::string_view name = entry.name;
    if (!name.ends_with(kPickleName) || name.find('/') != name.size() - kPickleName.size()) continue;
    check(found == nullptr, ErrorKind::kFormat, "torch file: expected one data.pkl, got several");
    found = &entry;
  }
  check(found != nullptr, ErrorKind::kFormat,
        "torch file: expected an archive with data.pkl, as torch.save writes it");
  return *found;
}

// Storages as records of the archive. Stored ones are used where they lie.
class ZipStorages {
 public:
  ZipStorages(const ZipArchive& archive, std::string folder, TorchFile& out)
      : archive_(archive), folder_(std::move(folder)), out_(out) {}

  std::span<const std::byte> find(const StorageId& id) {
    const ZipEntry* entry = archive_.find(folder_ + "/data/" + std::string(id.key));
    check(entry != nullptr, ErrorKind::kFormat, "torch file: storage ", printable(id.key),
          " is not in the archive");
    check(entry->size == id.bytes, ErrorKind::kFormat, "torch file: storage ", printable(id.key),
          ": expected ", id.bytes, " bytes, got ", entry->size);
    if (!entry->compressed) return entry->data;
    auto& kept = inflated_[entry->name];
    if (!kept) {
      kept = std::make_shared<const std::vector<std::byte>>(read_zip_entry(*entry));
      out_.storages.push_back(kept);
    }
    return *kept;
  }

 private:
  const ZipArchive& archive_;
  std::string folder_;
  TorchFile& out_;
  std::unordered_map<std::string_view, std::shared_ptr<const std::vector<std::byte>>> inflated_;
};

TorchFile parse_zip_form(std::span<const std::byte> bytes, const TorchFileLimits& limits) {
  const ZipArchive archive(bytes);
  const ZipEntry& entry = find_pickle(archive);
  const std::string folder = entry.name.substr(0, entry.name.size() - kPickleName.size());
  check(archive.find(folder + "/constants.pkl") == nullptr, ErrorKind::kFormat,
        "torch file: this is a TorchScript program, which is not run; expected weights");
  if (const ZipEntry* order = archive.find(folder + "/byteorder")) {
    check(order->size <= 16 && as_text(read_zip_entry(*order)) == "little", ErrorKind::kFormat,
          "torch file: expected little-endian numbers");
  }
  check(entry.size <= PickleLimits{}.max_bytes, ErrorKind::kFormat,
        "torch file: expected data.pkl of at most ", PickleLimits{}.max_bytes, " bytes, got ", entry.size);
  const auto text = read_zip_entry(entry);
  const auto pickle = parse_pickle(text, is_checkpoint_global);
  check(pickle.bytes() == text.size(), ErrorKind::kFormat,
        "torch file: expected data.pkl to end with its value");
  TorchFile out;
  ZipStorages storages(archive, folder, out);
  read_torch_tree(
      pickle, [&](const StorageId& id) { return storages.find(id); }, limits, out);
  return out;
}

// The next pickle of the older stream.
Pickle next_pickle(ByteReader& reader, std::span<const std::byte> bytes) {
  const auto rest = bytes.subspan(reader.position());
  auto pickle = parse_pickle(rest.first(std::min<uint64_t>(rest.size(), PickleLimits{}.max_bytes)),
                             is_checkpoint_global);
  reader.take(pickle.bytes());
  return pickle;
}

void check_legacy_head(ByteReader& reader, std::span<const std::byte> bytes) {
  const auto magic = next_pickle(reader, bytes);
  check(magic[magic.root()].type == PickleType::kBigInteger && magic[magic.root()].text == kLegacyMagic,
        ErrorKind::kFormat,
        "torch file: expected a zip archive or the magic number of torch.save, got another pickle");
  const auto version = next_pickle(reader, bytes);
  check(version[version.root()].type == PickleType::kInteger &&
            version[version.root()].integer == kLegacyProtocol,
        ErrorKind::kFormat, "torch file: expected protocol version ", kLegacyProtocol);
  const auto system = next_pickle(reader, bytes);
  const PickleNode* little = system.find(system[system.root()], "little_endian");
  check(little != nullptr && little->type == PickleType::kBool && little->integer == 1, ErrorKind::kFormat,
        "torch file: expected little-endian numbers");
}

using LegacyStorages = std::unordered_map<std::string_view, std::span<const std::byte>>;

// What the pickle says about every storage: bytes by key.
std::unordered_map<std::string_view, StorageId> announced_storages(const Pickle& pickle) {
  std::unordered_map<std::string_view, StorageId> out;
  for (PickleId i = 0; i < pickle.size(); ++i) {
    if (pickle[i].type != PickleType::kPersistent) continue;
    const auto id = read_storage_id(pickle, pickle[i]);
    const auto& known = out.emplace(id.key, id).first->second;
    check(known.elements == id.elements && known.dtype == id.dtype, ErrorKind::kFormat,
          "torch file: storage ", printable(id.key), " has two sizes");
  }
  return out;
}

LegacyStorages read_legacy_storages(ByteReader& reader, const Pickle& pickle, const Pickle& keys) {
  const auto announced = announced_storages(pickle);
  const auto& list = keys[keys.root()];
  check(list.type == PickleType::kList, ErrorKind::kFormat, "torch file: expected a list of storages");
  LegacyStorages out;
  for (const PickleId item : list.items) {
    const auto found = announced.find(keys[item].text);
    check(keys[item].type == PickleType::kText && found != announced.end(), ErrorKind::kFormat,
          "torch file: storage ", printable(keys[item].text), " belongs to no tensor");
    const auto elements = reader.number<uint64_t>();
    check(elements == found->second.elements, ErrorKind::kFormat, "torch file: storage ",
          printable(found->first), ": expected ", found->second.elements, " elements, got ", elements);
    check(out.emplace(found->first, reader.take(found->second.bytes)).second, ErrorKind::kFormat,
          "torch file: storage ", printable(found->first), " is there twice");
  }
  return out;
}

TorchFile parse_legacy_form(std::span<const std::byte> bytes, const TorchFileLimits& limits) {
  ByteReader reader(bytes, "torch file");
  check_legacy_head(reader, bytes);
  const auto pickle = next_pickle(reader, bytes);
  const auto keys = next_pickle(reader, bytes);
  const auto storages = read_legacy_storages(reader, pickle, keys);
  check(reader.left() == 0, ErrorKind::kFormat, "torch file: expected the end after the last storage, got ",
        reader.left(), " more bytes");
  TorchFile out{.legacy = true};
  const auto find = [&](const StorageId& id) {
    const auto found = storages.find(id.key);
    check(found != storages.end(), ErrorKind::kFormat, "torch file: storage ", printable(id.key),
          " is not in the file");
    return found->second;
  };
  read_torch_tree(pickle, find, limits, out);
  return out;
}

}  // namespace

bool is_torch_file(std::span<const std::byte> bytes) {
  if (is_zip(bytes)) return true;
  const auto text = as_text(bytes.first(std::min<size_t>(bytes.size(), kTextMagic.size())));
  const auto protocol = [&] { return std::to_integer<int>(bytes[1]); };
  return text == kTextMagic ||
         (bytes.size() >= 2 && bytes[0] == std::byte{0x80} && protocol() >= 2 && protocol() <= 5);
}

TorchFile parse_torch_file(std::span<const std::byte> bytes, const TorchFileLimits& limits) {
  check(
      !as_text(bytes).starts_with(kTextMagic), ErrorKind::kFormat,
      "torch file: expected pickles of protocol 2, which torch.save writes, got 0 or 1; hint: save it again "
      "with torch.save(..., pickle_protocol=2) or as safetensors");
  return is_zip(bytes) ? parse_zip_form(bytes, limits) : parse_legacy_form(bytes, limits);
}

}  // namespace ldm
