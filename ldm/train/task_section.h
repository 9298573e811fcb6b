#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/data/coco.h"
#include "ldm/data/inpaint_mask.h"
#include "ldm/data/task_sets.h"

namespace ldm {

// `data.task` of a run: what is given with each picture. Paths of files are inside data.path.

struct LayoutTask {
  std::string pictures = "images", held_out_pictures = "images";
  std::string annotations = "annotations/instances_train.json";
  std::string held_out_annotations = "annotations/instances_val.json";
  CocoFilter filter;
  LayoutSetOptions set;
  double dropout = 0.1;
  std::vector<std::string> categories;  // By number; filled in from the annotations.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("pictures", pictures, "folder of the pictures that the annotations name");
    visit("annotations", annotations, "COCO's instances file of the training split");
    visit("held_out_pictures", held_out_pictures, "folder of the held-out pictures");
    visit("held_out_annotations", held_out_annotations,
          "COCO's instances file of the held-out split; empty: data.held_out of the others");
    filter.fields(visit);
    set.fields(visit);
    visit("dropout", dropout, "probability of no objects at all (classifier-free guidance)");
    visit("categories", categories, "names of the categories; filled in from the annotations");
  }
};

struct SegmentationTask {
  std::string label_table = "labels.txt";
  SegmentationOptions set;
  double dropout = 0.0;
  std::vector<std::string> table;  // Its lines, a channel each; filled in from the label table.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("label_table", label_table, "text file of the labels: a grey value and a name a line");
    set.fields(visit);
    visit("dropout", dropout, "probability of an empty map (classifier-free guidance)");
    visit("table", table, "lines of the label table; filled in from label_table");
  }
};

struct RetrievalTask {
  std::string embeddings;  // A safetensors file.
  std::string tensor = "embeddings";
  int64_t neighbours = 4;
  std::string search = "exact";
  double dropout = 0.1;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("embeddings", embeddings,
          "safetensors file with a row a picture; empty: made of 8 x 8 thumbnails, 192 numbers a picture");
    visit("tensor", tensor, "name of the tensor in it");
    visit("neighbours", neighbours, "how many of the nearest other pictures are given");
    visit("search", search,
          "how they are found: exact, or approximate (hnswlib) for a hundred thousand and more");
    visit("dropout", dropout, "probability of zeros for all of them (classifier-free guidance)");
  }
};

// Throws kUsage, with the nearest name, unless `kind` is pictures, inpainting, super_resolution, layout,
// segmentation or retrieval.
void check_task_kind(const std::string& kind);

// Of the options, those of its own kind alone are read and written.
struct TaskSection {
  std::string kind = "pictures";
  std::vector<std::string> classes;  // Of pictures in class folders, by number; filled in from their names.
  MaskOptions inpainting;
  SuperResolutionOptions super_resolution;
  LayoutTask layout;
  SegmentationTask segmentation;
  RetrievalTask retrieval;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind,
          "pictures (and what is said of them), inpainting, super_resolution, layout, segmentation or "
          "retrieval");
    check_task_kind(kind);
    if (kind == "pictures") visit("classes", classes, "names of the classes; filled in from the folders");
    if (kind == "inpainting") inpainting.fields(visit);
    if (kind == "super_resolution") super_resolution.fields(visit);
    if (kind == "layout") layout.fields(visit);
    if (kind == "segmentation") segmentation.fields(visit);
    if (kind == "retrieval") retrieval.fields(visit);
  }
};

}  // namespace ldm
