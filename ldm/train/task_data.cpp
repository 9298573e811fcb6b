#include "ldm/train/task_data.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/data/folder_index.h"
#include "ldm/data/image_folder.h"
#include "ldm/io/file.h"
#include "ldm/train/condition_picture.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// What opening a task needs beside its options.
struct TaskOpening {
  const DataSection& data;
  const LogFn& log;
  const ProgressFn& progress;
  const StopToken& stop;

  fs::path file(const std::string& inside) const { return fs::path(data.path) / inside; }
  ImageFolder folder() const {
    auto all = open_image_folder({.path = data.path, .size = data.size}, log, progress, stop);
    if (data.flip) all.dataset = make_mirrored_set(all.dataset);
    return all;
  }
};

// The two splits of one set, which names them itself or is split by data.held_out.
TaskData split_data(const DatasetPtr& all, const TaskOpening& opening) {
  const double fraction = opening.data.held_out;
  return {.train = make_split(all, "train", fraction),
          .held_out = make_split(all, "heldout", fraction),
          .task = opening.data.task};
}

// A list that the options may hold already, from the same data as it was.
void fill_in(std::vector<std::string>& list, std::vector<std::string> found, const char* key) {
  check(list.empty() || list == found, key, ": expected what the data says, ", found.size(),
        " entries, got a list of ", list.size(), "; hint: leave it out");
  list = std::move(found);
}

TaskData open_pictures(const TaskOpening& opening) {
  const auto folder = opening.folder();
  auto out = split_data(folder.dataset, opening);
  fill_in(out.task.classes, folder.classes, "data.task.classes");
  return out;
}

TaskData open_inpainting(const TaskOpening& opening) {
  const auto all = make_inpainting_set(opening.folder().dataset, opening.data.task.inpainting);
  auto out = split_data(all, opening);
  out.show = [](const Conditions& c) { return picture_condition(c.at("masked_image")); };
  return out;
}

TaskData open_super_resolution(const TaskOpening& opening) {
  auto options = opening.data.task.super_resolution;
  options.size = opening.data.size;
  options.flip = opening.data.flip;
  const PictureFiles files(opening.data.path, index_folder(opening.data.path).examples);
  auto out = split_data(make_super_resolution_set(files, options), opening);
  out.show = [](const Conditions& c) { return picture_condition(c.at("LR_image")); };
  return out;
}

CocoSet read_layouts(const TaskOpening& opening, const std::string& annotations) {
  const auto path = opening.file(annotations);
  check(fs::is_regular_file(path), ErrorKind::kData,
        "data.task.annotations: expected a COCO instances file at ", path.string(),
        ", found nothing; hint: ldm data scenes makes a set with one");
  auto set = filter_coco(read_coco(path), opening.data.task.layout.filter);
  check(!set.images.empty(), ErrorKind::kData, path.string(), ": no picture has ",
        opening.data.task.layout.filter.min_objects, " to ", opening.data.task.layout.filter.max_objects,
        " objects; hint: data.task.min_objects_per_image");
  return set;
}

std::vector<std::string> category_names(const CocoSet& set) {
  std::vector<std::string> out;
  for (const auto& category : set.categories) out.push_back(category.name);
  return out;
}

TaskData open_layout(const TaskOpening& opening) {
  const auto& task = opening.data.task.layout;
  auto options = task.set;
  options.size = opening.data.size;
  options.flip = opening.data.flip;
  const auto coco = read_layouts(opening, task.annotations);
  const auto names = category_names(coco);
  if (options.tokens.classes == 0) options.tokens.classes = static_cast<int64_t>(names.size());
  const auto all = make_layout_set(opening.file(task.pictures).string(), coco, options);
  TaskData out;
  if (task.held_out_annotations.empty()) {
    out = split_data(all, opening);
  } else {
    const auto more = read_layouts(opening, task.held_out_annotations);
    check(category_names(more) == names, ErrorKind::kData, opening.file(task.held_out_annotations).string(),
          ": expected the categories of ", task.annotations, ", found others");
    out = {.train = all,
           .held_out = make_layout_set(opening.file(task.held_out_pictures).string(), more, options),
           .task = opening.data.task};
  }
  out.dropout = {{"objects_bbox", task.dropout}};
  out.task.layout.set = options;
  fill_in(out.task.layout.categories, names, "data.task.categories");
  out.show = [size = options.size, tokenizer = LayoutTokenizer(options.tokens)](const Conditions& c) {
    return layout_condition(c.at("objects_bbox"), tokenizer, size);
  };
  return out;
}

// The pictures of the set: those of metadata.jsonl, or else of the folder of pictures alone, beside which
// that of the labels stands.
std::vector<ExampleInfo> pictures_with_labels(const fs::path& folder, const std::string& pictures) {
  if (fs::is_regular_file(folder / "metadata.jsonl")) return index_folder(folder).examples;
  auto examples = index_folder(folder / pictures).examples;
  for (auto& example : examples) example.id = (fs::path(pictures) / example.id).generic_string();
  return examples;
}

TaskData open_segmentation(const TaskOpening& opening) {
  const auto& task = opening.data.task.segmentation;
  auto options = task.set;
  options.size = opening.data.size;
  options.flip = opening.data.flip;
  const auto path = opening.file(task.label_table);
  check(fs::is_regular_file(path), ErrorKind::kData, "data.task.label_table: expected a label table at ",
        path.string(), ", found nothing; hint: ldm data scenes makes a set with one");
  const auto table = read_label_table(path);
  const PictureFiles files(opening.data.path, pictures_with_labels(opening.data.path, options.pictures));
  auto out = split_data(make_segmentation_set(files, table, options), opening);
  out.dropout = {{"segmentation", task.dropout}};
  std::vector<std::string> lines;
  for (const auto& [value, name] : table.labels) lines.push_back(std::to_string(value) + " " + name);
  fill_in(out.task.segmentation.table, lines, "data.task.table");
  out.show = [](const Conditions& c) { return label_condition(c.at("segmentation")); };
  return out;
}

TaskData open_retrieval(const TaskOpening& opening) {
  const auto& task = opening.data.task.retrieval;
  const auto pictures = opening.folder().dataset;
  const auto bank = task.embeddings.empty() ? thumbnail_bank(*pictures)
                                            : NeighbourBank::read(opening.file(task.embeddings), task.tensor);
  check(task.search == "exact" || task.search == "approximate",
        "data.task.search: expected exact or approximate, got '", task.search, "'");
  const auto search = task.search == "exact" ? NeighbourSearch::kExact : NeighbourSearch::kApproximate;
  auto out = split_data(make_neighbour_set(pictures, bank, task.neighbours, search), opening);
  out.dropout = {{"neighbours", task.dropout}};
  return out;
}

struct TaskKind {
  const char* name;
  TaskData (*open)(const TaskOpening& opening);
};

constexpr TaskKind kTaskKinds[] = {{"pictures", open_pictures},
                                   {"inpainting", open_inpainting},
                                   {"super_resolution", open_super_resolution},
                                   {"layout", open_layout},
                                   {"segmentation", open_segmentation},
                                   {"retrieval", open_retrieval}};

const TaskKind& find_task_kind(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& kind : kTaskKinds) {
    if (kind.name == name) return kind;
    known.emplace_back(kind.name);
  }
  fail(ErrorKind::kUsage, "data.task.kind: expected one of ", join_names(known), ", got '", name, "'",
       nearest_hint(name, known));
}

}  // namespace

void check_task_kind(const std::string& kind) { find_task_kind(kind); }

TaskData open_task_data(const DataSection& options, const LogFn& log, const ProgressFn& progress,
                        const StopToken& stop) {
  auto out = find_task_kind(options.task.kind).open({options, log, progress, stop});
  for (const auto& [name, probability] : out.dropout) {
    check(probability >= 0 && probability <= 1, "data.task.dropout: expected a probability in 0..1, got ",
          probability);
  }
  check(out.train->size() > 0, ErrorKind::kData, "train: no picture of ", options.path,
        " is in the training split");
  log_info(log, std::to_string(out.train->size()) + " pictures to train on, " +
                    std::to_string(out.held_out->size()) + " held out");
  return out;
}

}  // namespace ldm
