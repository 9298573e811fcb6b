#include "tests/io/hostile_cases.h"

#include <string_view>
#include <utility>

#include "tests/io/file_builders.h"

namespace ldm::testing {
namespace {

using Cases = std::vector<HostileCase>;
using enum HostileCase::Reader;

// Names through which pickles have been made to run code, read files or crash loaders.
constexpr std::pair<std::string_view, std::string_view> kDangerous[] = {
    {"os", "system"},
    {"posix", "system"},
    {"nt", "system"},
    {"os", "popen"},
    {"os", "execv"},
    {"os", "spawnlp"},
    {"subprocess", "Popen"},
    {"subprocess", "call"},
    {"subprocess", "check_output"},
    {"builtins", "eval"},
    {"builtins", "exec"},
    {"builtins", "compile"},
    {"builtins", "getattr"},
    {"builtins", "open"},
    {"builtins", "__import__"},
    {"__builtin__", "eval"},
    {"__builtin__", "apply"},
    {"__builtin__", "execfile"},
    {"sys", "exit"},
    {"sys", "modules"},
    {"importlib", "import_module"},
    {"runpy", "_run_code"},
    {"pty", "spawn"},
    {"socket", "socket"},
    {"shutil", "rmtree"},
    {"webbrowser", "open"},
    {"bdb", "Bdb.run"},
    {"pdb", "run"},
    {"timeit", "timeit"},
    {"code", "interact"},
    {"operator", "attrgetter"},
    {"functools", "partial"},
    {"types", "FunctionType"},
    {"pickle", "loads"},
    {"_pickle", "load"},
    {"marshal", "loads"},
    {"torch", "load"},
    {"torch.hub", "load"},
    {"torch.jit", "load"},
    {"torch.storage", "_load_from_bytes"},
    {"torch._utils", "_rebuild_sparse_tensor"},
    {"torch._inductor.codecache", "compile_file"},
    {"torch.utils.collect_env", "run"},
    {"torch.serialization", "load"},
    {"torch.nn.modules.linear", "Linear"},
    {"numpy", "load"},
    {"numpy.testing._private.utils", "runstring"},
    {"requests.api", "get"},
    {"httplib", "HTTPSConnection"},
    {"asyncio.unix_events", "_UnixSubprocessTransport._start"},
    {"pip", "main"},
    {"ctypes", "CDLL"},
    {"multiprocessing.util", "spawnv_passfds"},
    {"pytorch_lightningx", "Trainer"},
    {"collectionsx", "OrderedDict"},
};

// The three ways in which a pickle names a global and calls it, and that of naming it without a call.
std::vector<std::string> ways_to_call(std::string_view module, std::string_view name) {
  const std::string argument = pickle_text("touch /tmp/ldm_hostile_marker");
  const std::string two = "\x8c" + le(static_cast<uint8_t>(module.size())) + std::string(module) + "\x8c" +
                          le(static_cast<uint8_t>(name.size())) + std::string(name);
  return {pickle_global(module, name) + "(" + argument + "tR",
          two + "\x93(" + argument + "tR",
          "(" + argument + "i" + std::string(module) + "\n" + std::string(name) + "\n",
          "(" + pickle_global(module, name) + argument + "o",
          pickle_global(module, name),
          pickle_global(module, name) + ")\x81"};
}

void add_globals(Cases& out) {
  for (const auto& [module, name] : kDangerous) {
    int way = 0;
    for (const auto& value : ways_to_call(module, name)) {
      const auto what = std::string(module) + "." + std::string(name) + " way " + std::to_string(way++);
      const auto pickle = pickle_checkpoint(value);
      out.push_back({kTorch, "zip, " + what, make_torch_zip(pickle)});
      out.push_back({kTorch, "legacy, " + what, make_torch_legacy(pickle)});
    }
  }
}

void add_opcodes(Cases& out) {
  constexpr std::string_view kKnown = "().GJKMNQRUX]abceh jqrstu}\x80\x81\x85\x86\x87\x88\x89\x8a\x8f\x90";
  for (int opcode = 0; opcode < 256; ++opcode) {
    const char c = static_cast<char>(opcode);
    if (kKnown.find(c) != kKnown.npos && c != ' ') continue;
    out.push_back(
        {kTorch, "opcode " + std::to_string(opcode), make_torch_zip("\x80\x02" + std::string(1, c) + "N.")});
  }
}

void add_pickles(Cases& out) {
  const std::string tensor = pickle_tensor({});
  std::string deep = pickle_tensor({}), marks(5000, '('), nested;
  for (int i = 0; i < 100; ++i) deep = "}(" + pickle_text("k") + deep + "u";
  for (int i = 0; i < 100'000; ++i) nested += "](";
  std::string laughs = "(](NNNNNNNNNNe";  // Ten, ten times ten, ten times that, ...
  for (uint8_t i = 0; i < 30; ++i) {
    laughs += "q" + le(i) + "](";
    for (int k = 0; k < 10; ++k) laughs += "h" + le(i);
    laughs += "e";
  }
  laughs += "t";
  const std::pair<const char*, std::string> pickles[] = {
      {"empty", ""},
      {"stop without a value", "\x80\x02."},
      {"protocol 4", "\x80\x04N."},
      {"protocol 255", "\x80\xffN."},
      {"no end", "\x80\x02}"},
      {"two values", "\x80\x02NN."},
      {"open mark", "\x80\x02(N."},
      {"tuple without mark", "\x80\x02Nt."},
      {"append to nothing", "\x80\x02Na."},
      {"append to a dictionary", "\x80\x02}Na."},
      {"items for a list", "\x80\x02](NNu."},
      {"odd number of items", "\x80\x02}(Nu."},
      {"call of a text", "\x80\x02" + pickle_text("os.system") + ")R."},
      {"call with a list", "\x80\x02" + pickle_global("collections", "OrderedDict") + "]R."},
      {"build of nothing", "\x80\x02Nb."},
      {"build of a list", "\x80\x02]}b."},
      {"memo never set", "\x80\x02h\x05."},
      {"memo index 2^32 - 1", "\x80\x02Nr\xff\xff\xff\xff."},
      {"text of 2^32 - 1 bytes",
       "\x80\x02X\xff\xff\xff\xff"
       "abc."},
      {"global without an end",
       "\x80\x02"
       "cos"},
      {"global with strange letters",
       "\x80\x02"
       "co s\nsys tem\n."},
      {"global without a name",
       "\x80\x02"
       "c\n\n."},
      {"persistent id that is a text", "\x80\x02" + pickle_text("storage") + "Q."},
      {"after the end", "\x80\x02N.N."},
      {"5000 marks", "\x80\x02" + marks + "."},
      {"100000 nested lists", "\x80\x02" + nested + "."},
      {"100 nested dictionaries", "\x80\x02" + deep + "."},
      {"a list in itself", std::string("\x80\x02]q\0h\0a.", 9)},
      {"a dictionary in itself", std::string("\x80\x02}q\0X\1\0\0\0kh\0s.", 15)},
      {"a million empty lists", "\x80\x02(" + std::string(1'000'000, ']') + "t."},
      {"billion laughs", "\x80\x02" + laughs + "."},
      {"a name of 2000 bytes", "\x80\x02}(" + pickle_text(std::string(2000, 'n')) + tensor + "u."},
      {"a name twice", "\x80\x02}(" + pickle_text("a") + tensor + pickle_text("a") + tensor + "u."},
  };
  for (const auto& [name, pickle] : pickles) {
    out.push_back({kTorch, std::string("pickle: ") + name, make_torch_zip(pickle)});
    out.push_back({kTorch, std::string("legacy pickle: ") + name, make_torch_legacy(pickle)});
  }
}

void add_tensors(Cases& out) {
  constexpr int32_t kMax = 0x7FFFFFFF;
  std::vector<std::pair<std::string, PickledTensor>> tensors{
      {"class", {.storage = "QInt8Storage"}},
      {"unknown class", {.storage = "OddStorage"}},
      {"function", {.function = "_rebuild_odd"}},
      {"quantised", {.function = "_rebuild_qtensor"}},
      {"unknown key", {.key = "1"}},
      {"key with a path", {.key = "../data/0"}},
      {"more elements", {.elements = 7}},
      {"fewer elements", {.elements = 5}},
      {"negative elements", {.elements = -6}},
      {"2^31 elements", {.elements = kMax}},
      {"wider class", {.storage = "DoubleStorage"}},
      {"narrower class", {.storage = "HalfStorage"}},
      {"offset 1", {.offset = 1}},
      {"negative offset", {.offset = -1}},
      {"enormous offset", {.offset = kMax}},
      {"larger shape", {.shape = {3, 3}}},
      {"negative size", {.shape = {-2, -3}}},
      {"enormous size", {.shape = {kMax, kMax}}},
      {"wrapping product", {.shape = {kMax, kMax, kMax, kMax}, .strides = {0, 0, 0, 0}}},
      {"negative stride", {.strides = {-3, 1}}},
      {"enormous stride", {.strides = {kMax, kMax}}},
      {"no strides", {.strides = {}}},
      {"repeated without end", {.shape = {kMax}, .strides = {0}}},
      {"33 dimensions", {.shape = std::vector<int32_t>(33, 1), .strides = std::vector<int32_t>(33, 1)}},
  };
  for (const auto& [name, tensor] : tensors) {
    const auto pickle = pickle_checkpoint(pickle_tensor(tensor));
    out.push_back({kTorch, "tensor: " + name, make_torch_zip(pickle)});
    out.push_back({kTorch, "legacy tensor: " + name, make_torch_legacy(pickle)});
  }
  std::string many;
  for (int i = 0; i < 200; ++i) many += pickle_text("t" + std::to_string(i)) + pickle_tensor({});
  out.push_back({kTorch, "200 tensors on one storage", make_torch_zip("\x80\x02}(" + many + "u.")});
  const auto good = pickle_checkpoint(pickle_tensor({}));
  out.push_back({kTorch, "short storage", make_torch_zip(good, "abc")});
  out.push_back({kTorch, "long storage", make_torch_legacy(good, six_floats() + "x")});
  out.push_back({kTorch, "another pickle", "\x80\x02K\x01."});
}

void add_zips(Cases& out) {
  const auto good = pickle_checkpoint(pickle_tensor({}));
  const ZipPart pickle{.name = "m/data.pkl", .content = good},
      storage{.name = "m/data/0", .content = six_floats()};
  const auto with = [&](const char* name, std::vector<ZipPart> parts) {
    out.push_back({kTorch, std::string("zip: ") + name, make_zip(parts)});
  };
  const auto changed = [](ZipPart part, auto change) {
    change(part);
    return part;
  };
  with("no entry", {});
  with("no pickle", {storage});
  with("two pickles", {pickle, changed(pickle, [](auto& p) { p.name = "n/data.pkl"; }), storage});
  with("a name twice", {pickle, storage, storage});
  with("big-endian", {pickle, storage, {.name = "m/byteorder", .content = "big"}});
  with("a program", {pickle, storage, {.name = "m/constants.pkl", .content = "x"}});
  with("no storage", {pickle});
  with("entries overlap",
       {pickle, changed(storage, [](auto& p) { p.claimed_local = 0, p.name = "m/data.pkl"; })});
  with("two names", {changed(pickle, [](auto& p) { p.local_name = "m/data.pk!"; }), storage});
  with("encrypted", {changed(pickle, [](auto& p) { p.flags = 1; }), storage});
  for (const uint16_t method : {1, 6, 9, 12, 14, 93, 98, 99}) {
    with(("method " + std::to_string(method)).c_str(),
         {changed(pickle, [&](auto& p) { p.method = method; }), storage});
  }
  with("wrong checksum", {changed(pickle, [](auto& p) { p.claimed_crc = 1; }), storage});
  with("deflated data is none", {changed(pickle, [](auto& p) { p.method = 8; }), storage});
  for (const int64_t lie : {0LL, 1LL, 23LL, 25LL, 0x7FFFFFFFLL, 0xFFFFFFFELL, 0xFFFFFFFFLL}) {
    const auto number = std::to_string(lie);
    for (const bool deflate : {false, true}) {
      auto part = storage;
      part.deflate = deflate;
      with(("size " + number).c_str(), {pickle, changed(part, [&](auto& p) { p.claimed_size = lie; })});
      with(("stored size " + number).c_str(),
           {pickle, changed(part, [&](auto& p) { p.claimed_stored = lie; })});
    }
    if (lie != 0)
      with(("place " + number).c_str(), {pickle, changed(storage, [&](auto& p) { p.claimed_local = lie; })});
  }
  ZipPart bomb{.name = "m/data.pkl", .content = std::string(100 << 20, '\0'), .deflate = true};
  with("bomb", {bomb, storage});
  bomb.claimed_size = 1000;
  with("bomb that claims to be small", {bomb, storage});
  const std::string archive = make_zip({pickle, storage});
  for (const size_t field : {4, 6, 8, 10, 12, 16, 20}) {  // Of the end record.
    auto bytes = archive;
    bytes[archive.size() - 22 + field] = static_cast<char>(bytes[archive.size() - 22 + field] + 1);
    out.push_back({kTorch, "zip: end record, field " + std::to_string(field), bytes});
  }
}

// Every good file, cut at every byte.
void add_truncations(Cases& out) {
  for (const auto& good : good_cases()) {
    for (size_t size = 0; size < good.bytes.size(); ++size)
      out.push_back({good.reader, good.name + " cut to " + std::to_string(size), good.bytes.substr(0, size)});
  }
}

}  // namespace

std::vector<HostileCase> good_cases() {
  const auto pickle = pickle_checkpoint(pickle_tensor({}));
  return {{kSafetensors, "safetensors", good_safetensors()},
          {kTorch, "zip checkpoint", make_torch_zip(pickle)},
          {kTorch, "legacy checkpoint", make_torch_legacy(pickle)},
          {kNpy, "npy", good_npy()},
          {kNpz, "npz", good_npz(false)},
          {kNpz, "compressed npz", good_npz(true)},
          {kGguf, "gguf", make_gguf({.metadata = gguf_entry("general.name", 8, gguf_text("tiny"))})},
          {kIndex, "index", R"({"weight_map":{"a":"model-00001.safetensors"}})"},
          {kJson, "json", R"({"a":[1,-2.5e3,true,false,null],"b":{"c":"\u00e9\ud83d\ude00"}})"}};
}

std::vector<HostileCase> hostile_cases() {
  Cases out;
  add_globals(out);
  add_opcodes(out);
  add_pickles(out);
  add_tensors(out);
  add_zips(out);
  add_plain_cases(out);
  add_truncations(out);
  return out;
}

}  // namespace ldm::testing
