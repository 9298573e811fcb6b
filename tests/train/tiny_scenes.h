#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ldm/data/coco_writer.h"
#include "tests/data/temp_folder.h"

namespace ldm {

// A set in the form of `ldm data scenes`: 10 pictures of 16x16 pixels, in each a box of one of two colours
// ("red", "blue") at another place of a grey wall; the last 2 are held out. Labels 1, 2, and 3 for the wall.
inline void write_tiny_scenes(const TempFolder& folder) {
  const std::array<Rgb, 2> colours{Rgb{220, 30, 30}, Rgb{40, 60, 220}};
  CocoWriter splits[] = {CocoWriter("training"), CocoWriter("held out")};
  for (CocoWriter& split : splits) {
    split.add_category({1, "red", "colour"});
    split.add_category({2, "blue", "colour"});
  }
  std::string metadata;
  for (int64_t k = 0; k < 10; ++k) {
    Image picture = make_image(16, 16, 3, 128), labels = make_image(16, 16, 1, 3);
    const int64_t kind = k % 2, x = k, y = (k * 3) % 9, side = 5;
    for (int64_t row = y; row < y + side; ++row) {
      for (int64_t column = x; column < x + side; ++column) {
        const Rgb& colour = colours[static_cast<size_t>(kind)];
        std::copy(colour.begin(), colour.end(), picture.row(row) + 3 * column);
        labels.row(row)[column] = static_cast<uint8_t>(kind + 1);
      }
    }
    const std::string name = std::to_string(k) + ".png";
    folder.write("images/" + name, std::string(as_text(encode_png(picture))));
    folder.write("labels/" + name, std::string(as_text(encode_png(labels))));
    CocoWriter& split = splits[k < 8 ? 0 : 1];
    split.add_image(k + 1, name, 16, 16);
    const std::array<int64_t, 4> box{x, y, side, side};
    split.add_object(k + 1, kind + 1, box, side * side, run_lengths(labels, static_cast<uint8_t>(kind + 1)));
    metadata += R"({"file_name": "images/)" + name + R"(", "text": ")" + (kind == 0 ? "red" : "blue") +
                R"( box", "split": ")" + (k < 8 ? "train" : "heldout") + "\"}\n";
  }
  folder.write("labels.txt", "1 red\n2 blue\n3 wall\n");
  std::filesystem::create_directories(folder.path() / "annotations");
  splits[0].write_instances(folder.path() / "annotations/instances_train.json");
  splits[1].write_instances(folder.path() / "annotations/instances_val.json");
  folder.write("metadata.jsonl", metadata);
}

// Diffusion on the pixels themselves; {conditioning} stands for what differs between the tasks.
inline std::string tiny_task_yaml(int64_t in_channels, const std::string& unet, const std::string& condition,
                                  const std::string& task) {
  return R"(
model:
  target: latent_diffusion
  params:
    timesteps: 50
    image_size: 16
    channels: 3
    unet_config:
      target: unet
      params: {image_size: 16, in_channels: )" +
         std::to_string(in_channels) +
         R"(, out_channels: 3, model_channels: 32, attention_resolutions: [2], num_res_blocks: 1, channel_mult: [1, 1], num_head_channels: 16)" +
         unet + R"(}
    first_stage_config: {target: identity}
)" + condition +
         R"(
data: {path: x, size: 16, batch_size: 4, held_out: 0.2, task: )" +
         task + R"(}
train: {steps: 4, warm_up_steps: 0, device: cpu, ema: {decay: 0.9}}
)";
}

struct TinyTask {
  const char* kind;
  std::string yaml;
  int64_t grid_rows;  // Input, sample, truth.
};

inline std::vector<TinyTask> tiny_tasks() {
  const std::string concat = "    conditioning_key: concat\n    cond_stage_config: ",
                    attend =
                        "    conditioning_key: crossattn\n    cond_stage_trainable: true\n"
                        "    cond_stage_config: ";
  return {
      {"inpainting", tiny_task_yaml(7, "", concat + "first_stage", "{kind: inpainting, strokes: boxes}"), 3},
      {"super_resolution",
       tiny_task_yaml(6, "", concat + "first_stage",
                      "{kind: super_resolution, degradation: bsrgan_light, enlarge: true}"),
       3},
      {"layout",
       tiny_task_yaml(3, ", context_dim: 32",
                      attend + "{target: text_transformer, params: {use_tokenizer: false, n_embed: 32, "
                               "n_layer: 1, vocab_size: 100, max_seq_len: 8, heads: 2, dim_head: 16, "
                               "with_logits: false}}",
                      "{kind: layout, min_objects_per_image: 1, max_objects: 2, no_tokens: 100, "
                      "use_group_parameter: false, use_additional_parameters: false}"),
       3},
      {"segmentation",
       tiny_task_yaml(5, "",
                      concat + "{target: spatial_rescaler, params: {n_stages: 0, in_channels: 3, "
                               "out_channels: 2}}\n    cond_stage_trainable: true",
                      "{kind: segmentation}"),
       3},
      {"retrieval",
       tiny_task_yaml(3, ", context_dim: 192", attend + "identity", "{kind: retrieval, neighbours: 2}"), 2},
  };
}

}  // namespace ldm
