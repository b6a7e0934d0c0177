#!/usr/bin/env python3
"""Drives the server's page in headless Chromium and takes pictures of it.

    tests/integrations/serve/page.py --url http://127.0.0.1:8080 --output target/page

The page must show what the server runs on and its sources, answer a question, learn what was right, show the decision with
who said what as it was told by the server, take markup for text, and write nothing to the console's errors. Needs Chromium
(Debian's package `chromium`) and PyPI's `playwright`.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

MARKUP = "<img src=x onerror=\"document.title='taken for markup'\"> Where is it? When does it come?"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the server")
    parser.add_argument("--token-file", type=Path, help="a file with the server's token")
    parser.add_argument("--output", type=Path, default=Path("target/page"), help="the folder for the pictures")
    args = parser.parse_args()
    token = args.token_file.read_text().strip() if args.token_file else None
    args.output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # In a container Chromium has no right to a sandbox of its own.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto(args.url)
        if token:
            expect(page.locator("#token-form")).to_be_visible()
            # What was refused before the token was there is no fault.
            page.fill("#token", token)
            page.press("#token", "Enter")
            expect(page.locator("#stream")).to_have_text("listening")
            errors.clear()
        drive(page)
        page.screenshot(path=args.output / "wide.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=args.output / "narrow_dark.png", full_page=True)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"the page is {width} pixels wide where there are 390"
        browser.close()
    assert not errors, errors
    for name in ("wide.png", "narrow_dark.png"):
        size = (args.output / name).stat().st_size
        assert size > 20_000, f"{name} has {size} bytes: nothing is on it"
    print(f"the page does what it should; pictures are in {args.output}")


def drive(page):
    """Asks, teaches, and reads what is shown."""
    expect(page.locator("#engine")).to_contain_text("cpu")
    expect(page.locator("#ready")).to_contain_text("ready")
    for name in ("praise", "complaint", "question", "punctuation", "length"):
        expect(page.locator("#sources")).to_contain_text(name)
    expect(page.locator("#stream")).to_have_text("listening")
    page.fill("#question", MARKUP)
    page.click("#send")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("disagreement")
    expect(answer).to_contain_text("punctuation")
    expect(page.locator("#decisions")).to_contain_text(MARKUP)
    expect(page.locator("#decisions")).to_contain_text("question")
    answer.get_by_role("button", name="question").click()
    expect(answer).to_contain_text("learned")
    # It can be said once.
    expect(answer.get_by_role("button", name="question")).to_be_disabled()
    expect(page.locator("#control")).to_contain_text("mode")
    assert page.title() != "taken for markup", "a question was taken for markup"
    assert page.locator("#decisions img").count() == 0


if __name__ == "__main__":
    main()
