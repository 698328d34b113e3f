import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

from word_index import WordIndex  # type: ignore[import-not-found]  # noqa: E402

TEXT = """The quick brown fox
jumps over the lazy dog.
The dog doesn't mind."""


class Search(unittest.TestCase):
    def test_case_does_not_matter(self) -> None:
        self.assertEqual(WordIndex(TEXT).search("THE"), [1, 2, 3])

    def test_all_words_must_stand_in_the_line(self) -> None:
        self.assertEqual(WordIndex(TEXT).search("the", "dog"), [2, 3])

    def test_an_unknown_word_is_nowhere(self) -> None:
        self.assertEqual(WordIndex(TEXT).search("cat"), [])


if __name__ == "__main__":
    unittest.main()
