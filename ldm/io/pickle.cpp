#include "ldm/io/pickle.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/byte_reader.h"
#include "ldm/io/printable.h"

namespace ldm {
namespace {

constexpr PickleId kUnset = std::numeric_limits<PickleId>::max();

// The opcodes of protocol 2 that torch.save uses, by Python's names.
enum Opcode : uint8_t {
  kMark = '(',
  kEmptyTuple = ')',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
};

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 200 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

// A last byte of a two's complement number that only repeats the sign of the one before.
bool is_sign(char last, char before) { return last == ((before & 0x80) != 0 ? '\xff' : '\0'); }

}  // namespace

// The stack machine of a pickle, with nodes where Python has objects.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const AllowGlobal& allow, const PickleLimits& limits)
      : reader_(bytes, "pickle"), allow_(allow), limits_(limits) {
    check(bytes.size() <= limits.max_bytes, ErrorKind::kFormat, "pickle: expected at most ", limits.max_bytes,
          " bytes, got ", bytes.size());
    none_ = add({.type = PickleType::kNone});
    false_ = add({.type = PickleType::kBool});
    true_ = add({.type = PickleType::kBool, .integer = 1});
    empty_tuple_ = add({.type = PickleType::kTuple});
    small_integers_ = add({.type = PickleType::kInteger});
    for (int64_t value = 1; value < 256; ++value) add({.type = PickleType::kInteger, .integer = value});
  }

  Pickle run() {
    while (step(reader_.number<uint8_t>())) {
    }
    out_.root_ = pop();
    check(stack_.empty() && marks_.empty(), ErrorKind::kFormat, "pickle: expected one value at the end, got ",
          stack_.size() + 1, "; the file is damaged");
    out_.bytes_ = reader_.position();
    return std::move(out_);
  }

 private:
  bool step(uint8_t opcode) {
    return opcode != kStop && (constant(opcode) || structure(opcode) || refuse(opcode));
  }

  // Opcodes that push what stands behind them.
  bool constant(uint8_t opcode) {
    switch (opcode) {
      case kProto:
        return protocol();
      case kNone:
        return push(none_);
      case kNewTrue:
        return push(true_);
      case kNewFalse:
        return push(false_);
      case kEmptyTuple:
        return push(empty_tuple_);
      case kBinInt:
        return push_integer(reader_.number<int32_t>());
      case kBinInt1:
        return push_integer(reader_.number<uint8_t>());
      case kBinInt2:
        return push_integer(reader_.number<uint16_t>());
      case kLong1:
        return big_integer();
      case kBinFloat:
        return big_endian_number();
      case kShortBinString:
        return push_text(reader_.number<uint8_t>());
      case kBinUnicode:
        return push_text(reader_.number<uint32_t>());
      case kEmptyList:
        return push(add({.type = PickleType::kList}));
      case kEmptyDict:
        return push(add({.type = PickleType::kDict}));
      case kEmptySet:
        return push(add({.type = PickleType::kSet}));
      case kGlobal:
        return global();
      default:
        return false;
    }
  }

  // Opcodes that work on the stack.
  bool structure(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        return mark();
      case kTuple:
        return push(add({.type = PickleType::kTuple, .items = pop_to_mark()}));
      case kTuple1:
        return tuple(1);
      case kTuple2:
        return tuple(2);
      case kTuple3:
        return tuple(3);
      case kAppend:
        return extend(PickleType::kList, {pop()});
      case kAppends:
        return extend(PickleType::kList, pop_to_mark());
      case kAddItems:
        return extend(PickleType::kSet, pop_to_mark());
      case kSetItem:
        return set_item();
      case kSetItems:
        return set_items(pop_to_mark());
      case kReduce:
      case kNewObj:
        return object();
      case kBuild:
        return build();
      case kBinPersId:
        return push(add({.type = PickleType::kPersistent, .items = {pop()}}));
      case kBinGet:
        return get(reader_.number<uint8_t>());
      case kLongBinGet:
        return get(reader_.number<uint32_t>());
      case kBinPut:
        return put(reader_.number<uint8_t>());
      case kLongBinPut:
        return put(reader_.number<uint32_t>());
      default:
        return false;
    }
  }

  [[noreturn]] bool refuse(uint8_t opcode) {
    const std::string shown = opcode > 0x20 && opcode < 0x7F
                                  ? std::string("'") + static_cast<char>(opcode) + "'"
                                  : std::to_string(opcode);
    fail(ErrorKind::kFormat, "pickle: opcode ", shown, " at ", reader_.position() - 1,
         " is not one that a checkpoint needs; refused");
  }

  PickleId add(PickleNode node) {
    check(out_.nodes_.size() < limits_.max_nodes && out_.nodes_.size() < 1024 + reader_.position() / 3,
          ErrorKind::kFormat, "pickle: more values than a checkpoint of its size would have");
    out_.nodes_.push_back(std::move(node));
    return static_cast<PickleId>(out_.nodes_.size() - 1);
  }
  bool push(PickleId id) {
    stack_.push_back(id);
    return true;
  }
  PickleId pop() {
    const size_t bottom = marks_.empty() ? 0 : marks_.back();
    check(stack_.size() > bottom, ErrorKind::kFormat, "pickle: the stack is empty at ",
          reader_.position() - 1, "; the file is damaged");
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  PickleNode& top(const char* what, PickleType type) {
    check(stack_.size() > (marks_.empty() ? 0 : marks_.back()) && out_.nodes_[stack_.back()].type == type,
          ErrorKind::kFormat, "pickle: expected ", what, " below the items at ", reader_.position() - 1);
    return out_.nodes_[stack_.back()];
  }

  bool mark() {
    check(marks_.size() < limits_.max_marks, ErrorKind::kFormat, "pickle: expected at most ",
          limits_.max_marks, " open marks");
    marks_.push_back(stack_.size());
    return true;
  }
  std::vector<PickleId> pop_to_mark() {
    check(!marks_.empty(), ErrorKind::kFormat, "pickle: no mark on the stack at ", reader_.position() - 1,
          "; the file is damaged");
    std::vector<PickleId> items(stack_.begin() + static_cast<int64_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  bool protocol() {
    const auto version = reader_.number<uint8_t>();
    check(version == 2, ErrorKind::kFormat, "pickle: expected protocol 2, which torch.save writes, got ",
          int{version}, "; hint: save it again with torch.save(..., pickle_protocol=2) or as safetensors");
    return true;
  }
  bool push_integer(int64_t value) {
    if (value >= 0 && value < 256) return push(small_integers_ + static_cast<PickleId>(value));
    return push(add({.type = PickleType::kInteger, .integer = value}));
  }
  bool push_text(uint64_t bytes) {
    return push(add({.type = PickleType::kText, .text = reader_.text(bytes)}));
  }
  bool big_integer() {
    auto bytes = reader_.text(reader_.number<uint8_t>());
    while (bytes.size() > 8 && is_sign(bytes.back(), bytes[bytes.size() - 2])) bytes.remove_suffix(1);
    if (bytes.size() > 8) return push(add({.type = PickleType::kBigInteger, .text = bytes}));
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return push_integer(static_cast<int64_t>(value));
  }
  bool big_endian_number() {
    const auto value = __builtin_bswap64(reader_.number<uint64_t>());
    return push(add({.type = PickleType::kNumber, .number = std::bit_cast<double>(value)}));
  }

  bool global() {
    const auto module = reader_.line(), name = reader_.line();
    check(is_word(module) && is_word(name), ErrorKind::kFormat, "pickle: expected the name of a global, got ",
          printable(module), " and ", printable(name));
    check(allow_(module, name), ErrorKind::kFormat, "pickle: refused because of the global ", module, ".",
          name, ", which a checkpoint does not need and which may run code");
    const std::string_view both(module.data(), module.size() + 1 + name.size());
    return push(add({.type = PickleType::kGlobal, .text = both}));
  }

  bool tuple(size_t count) {
    std::vector<PickleId> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return push(add({.type = PickleType::kTuple, .items = std::move(items)}));
  }
  bool extend(PickleType type, const std::vector<PickleId>& items) {
    auto& to = top(type == PickleType::kList ? "a list" : "a set", type).items;
    to.insert(to.end(), items.begin(), items.end());
    return true;
  }
  bool set_item() {
    const PickleId value = pop(), key = pop();
    return set_items({key, value});
  }
  bool set_items(const std::vector<PickleId>& items) {
    check(items.size() % 2 == 0, ErrorKind::kFormat, "pickle: a key without a value at ",
          reader_.position() - 1);
    auto& to = top("a dictionary", PickleType::kDict).items;
    to.insert(to.end(), items.begin(), items.end());
    return true;
  }

  // An OrderedDict() becomes the dictionary that it is; everything else a record of what was asked for.
  bool object() {
    const PickleId arguments = pop(), callee = pop();
    const auto& node = out_.nodes_[callee];
    check(node.type == PickleType::kGlobal, ErrorKind::kFormat, "pickle: expected a global to be called at ",
          reader_.position() - 1);
    check(out_.nodes_[arguments].type == PickleType::kTuple, ErrorKind::kFormat,
          "pickle: expected a tuple of arguments at ", reader_.position() - 1);
    if (node.text == "collections\nOrderedDict" && out_.nodes_[arguments].items.empty())
      return push(add({.type = PickleType::kDict}));
    return push(add({.type = PickleType::kObject, .items = {callee, arguments}}));
  }
  // A state dict carries its _metadata as state of the OrderedDict: nobody needs it.
  bool build() {
    const PickleId state = pop();
    check(!stack_.empty(), ErrorKind::kFormat, "pickle: the stack is empty at ", reader_.position() - 1);
    auto& node = out_.nodes_[stack_.back()];
    check(node.type == PickleType::kDict || node.type == PickleType::kObject, ErrorKind::kFormat,
          "pickle: expected an object below its state at ", reader_.position() - 1);
    if (node.type == PickleType::kObject) node.items.push_back(state);
    return true;
  }

  bool put(uint32_t index) {
    check(index <= limits_.max_memo && index <= reader_.position(), ErrorKind::kFormat, "pickle: memo index ",
          index, " is too large");
    check(!stack_.empty(), ErrorKind::kFormat, "pickle: the stack is empty at ", reader_.position() - 1);
    if (memo_.size() <= index) memo_.resize(index + 1, kUnset);
    memo_[index] = stack_.back();
    return true;
  }
  bool get(uint32_t index) {
    check(index < memo_.size() && memo_[index] != kUnset, ErrorKind::kFormat, "pickle: memo index ", index,
          " at ", reader_.position() - 1, " was never set");
    return push(memo_[index]);
  }

  ByteReader reader_;
  const AllowGlobal& allow_;
  const PickleLimits limits_;
  Pickle out_;
  std::vector<PickleId> stack_, memo_;
  std::vector<size_t> marks_;  // Heights of the stack.
  // Values that come again and again are shared.
  PickleId none_, true_, false_, empty_tuple_, small_integers_;
};

const PickleNode* Pickle::find(const PickleNode& dict, std::string_view key) const {
  if (dict.type != PickleType::kDict) return nullptr;
  for (size_t i = dict.items.size(); i >= 2; i -= 2) {  // The last one counts, as in Python.
    const auto& name = nodes_[dict.items[i - 2]];
    if (name.type == PickleType::kText && name.text == key) return &nodes_[dict.items[i - 1]];
  }
  return nullptr;
}

Pickle parse_pickle(std::span<const std::byte> bytes, const AllowGlobal& allow, const PickleLimits& limits) {
  return PickleMachine(bytes, allow, limits).run();
}

}  // namespace ldm
