#pragma once

#include <string>
#include <vector>

#include "ldm/core/random.h"

namespace ldm {

// What is known in words about one picture. Only `text` is common; the rest may be empty.
struct CaptionWords {
  std::string text;                   // "frog"
  std::vector<std::string> keywords;  // "face", "animal amphibian"
  std::string colour;                 // Its dominant colour: "green".
  std::string style;                  // "noto"
};

// How the caption of one draw is made. With the keywords it is one of three forms: the text; the text and 1
// to 4 keywords; 2 to 5 keywords alone. Pictures without keywords always have their text.
struct CaptionOptions {
  double text_only = 0.6;       // Probability of the text alone.
  double text_keywords = 0.25;  // Of the text with keywords; the rest is keywords alone.
  double colour = 0.15;         // Of the picture's own colour in front of the text, if the text names none.
  double style = 0.8;           // Of the style word at the end.
  double dropout = 0.1;         // Of an empty caption, for classifier-free guidance (Ho and Salimans 2022).

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("text_only", text_only, "probability of the text alone");
    visit("text_keywords", text_keywords,
          "probability of the text with 1 to 4 keywords; the rest: keywords alone");
    visit("colour", colour, "probability of the picture's own colour in front of the text");
    visit("style", style, "probability of the style word at the end");
    visit("dropout", dropout, "probability of an empty caption (classifier-free guidance)");
  }
};

// Throws kUsage unless every probability is in [0, 1] and the two forms' sum is.
void check_caption_options(const CaptionOptions& options);

// One caption, a function of its arguments alone.
std::string draw_caption(const CaptionWords& words, const CaptionOptions& options, Random random);

// The caption without chance: the text, and the style if there is one ("frog, noto").
std::string plain_caption(const CaptionWords& words);

// Whether a text has a colour word already ("green heart", "black cat"), so that another would contradict it.
bool names_a_colour(std::string_view text);

}  // namespace ldm
