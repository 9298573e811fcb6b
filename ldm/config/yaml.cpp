#include "ldm/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

// Builds the tree from the parser's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view name, const YamlLimits& limits)
      : source_(std::make_shared<const std::string>(name)), limits_(limits) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail_at(mark, "expected one document, got another");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { finish(Node(), 1, mark, anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      fail_at(mark, "expected an alias of something complete, got a reference to itself");
    finish(Node(found->second.node), found->second.cost, mark, 0, /*keep_line=*/true);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool string = tag == "!" || tag == std::string(kCoreTag) + "str";
    if (!string) check_tag(mark, tag, {"int", "float", "bool"});
    // A long text costs as much as several nodes, so that aliases cannot multiply it either.
    finish(string ? Node::string(value) : Node::scalar(value), 1 + static_cast<int64_t>(value.size() / 64),
           mark, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag, {"seq"});
    open(Node::sequence(), mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag, {"map"});
    open(Node::map(), mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    int64_t cost = 1;
    bool has_key = false;
    std::string key;
    std::set<std::string> keys;
  };
  struct Anchored {
    Node node;
    int64_t cost;
  };

  [[noreturn]] void fail_at(const YAML::Mark& mark, const std::string& message) const {
    fail(ErrorKind::kFormat, *source_, ":", mark.line + 1, ": ", message);
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag,
                 std::initializer_list<std::string_view> allowed) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    for (const auto name : allowed) {
      if (tag == std::string(kCoreTag) + std::string(name)) return;
    }
    fail_at(mark, "expected no tag here, got '" + tag.substr(0, 60) + "'");
  }

  void open(Node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (!frames_.empty() && frames_.back().node.is_map() && !frames_.back().has_key) {
      fail_at(mark, "expected a plain key, got " + std::string(node.kind_name()));
    }
    if (static_cast<int64_t>(frames_.size()) >= limits_.max_depth) {
      fail_at(mark, "expected at most " + std::to_string(limits_.max_depth) + " nested levels, got more");
    }
    frames_.push_back({std::move(node), mark, anchor});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    finish(std::move(frame.node), frame.cost, frame.mark, frame.anchor);
  }

  // A value is complete: it becomes a key, or a member of what is open, or the document.
  void finish(Node node, int64_t cost, const YAML::Mark& mark, YAML::anchor_t anchor,
              bool keep_line = false) {
    if (!keep_line) node.set_source(source_, mark.line + 1);
    if (anchor != 0) anchors_[anchor] = {node, cost};
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    frame.cost += cost;
    if (frame.cost > limits_.max_nodes) {
      fail_at(mark, "expected at most " + std::to_string(limits_.max_nodes) + " values, got more");
    }
    if (frame.node.is_sequence()) {
      frame.node.push_back(std::move(node));
    } else if (!frame.has_key) {
      take_key(frame, node, mark);
    } else {
      frame.node.entries().push_back({std::move(frame.key), std::move(node)});
      frame.has_key = false;
    }
  }

  void take_key(Frame& frame, const Node& node, const YAML::Mark& mark) {
    if (!node.is_scalar()) fail_at(mark, "expected a plain key, got " + std::string(node.kind_name()));
    if (node.text() == "<<" && !node.quoted()) fail_at(mark, "merge keys (<<) are not supported");
    if (!frame.keys.insert(node.text()).second) {
      fail_at(mark, "expected each key once, got '" + node.text().substr(0, 60) + "' twice");
    }
    frame.key = node.text();
    frame.has_key = true;
  }

  std::shared_ptr<const std::string> source_;
  YamlLimits limits_;
  Node root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  int documents_ = 0;
};

// Refuses what YAML forbids and what the parser would take for something else.
void check_characters(std::string_view text, std::string_view name) {
  const auto line_of = [&](size_t at) {
    return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  };
  const size_t valid = valid_utf8_prefix(text);
  check(valid == text.size(), ErrorKind::kFormat, name, ":", line_of(valid), ": expected UTF-8");
  const auto bad = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  });
  if (bad == text.end()) return;
  fail(ErrorKind::kFormat, name, ":", line_of(static_cast<size_t>(bad - text.begin())),
       ": expected text, got a control character");
}

}  // namespace

Node parse_yaml(std::string_view text, std::string_view name, const YamlLimits& limits) {
  check(text.size() <= limits.max_bytes, ErrorKind::kFormat, name, ": expected at most ", limits.max_bytes,
        " bytes of YAML, got ", text.size());
  check_characters(text, name);
  TreeBuilder builder(name, limits);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Error&) {
    throw;
  } catch (const YAML::Exception& error) {
    fail(ErrorKind::kFormat, name, ":", error.mark.line + 1, ": expected YAML, got an error: ", error.msg);
  } catch (const std::exception& error) {
    fail(ErrorKind::kFormat, name, ": expected YAML, got an error: ", error.what());
  }
  return builder.take();
}

Node parse_yaml(std::span<const std::byte> bytes, std::string_view name, const YamlLimits& limits) {
  return parse_yaml(as_text(bytes), name, limits);
}

Node read_yaml(const std::filesystem::path& path, const YamlLimits& limits) {
  return parse_yaml(read_text(path, limits.max_bytes), path.string(), limits);
}

}  // namespace ldm
