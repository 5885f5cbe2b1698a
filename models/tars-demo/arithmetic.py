"""Sums of numbers below 100: wordings, thoughts and answers, and which pairs training never shows."""

from __future__ import annotations

import random

LARGEST = 99

ADD = [
    "What is {a} plus {b}?", "{a} + {b}", "{a}+{b}", "{a} + {b} =", "{a} + {b} = ?", "{a}+{b}=?", "What is {a} + {b}?", "what's {a}+{b}", "How much is {a} plus {b}?", "How much is {a} and {b}?",
    "Calculate {a} + {b}.", "Calculate the sum of {a} and {b}.", "Add {a} and {b}.", "Add {b} to {a}.", "Sum of {a} and {b}", "Sum {a} and {b}.", "{a} plus {b}", "{a} plus {b} equals?", "{a} and {b} makes?",
    "What do you get when you add {a} and {b}?", "Compute {a} + {b}", "Please compute {a} plus {b}.", "Work out {a} + {b}.", "Can you calculate {a} + {b}?", "Do you know what {a} + {b} is?", "Tell me {a} + {b}.",
    "What is the result of {a} + {b}?", "Solve {a} + {b}", "If I add {a} to {b}, what is the total?", "What is {a} added to {b}?", "Put {a} and {b} together. How many?", "total of {a} and {b}",
    "I have {a} apples and get {b} more. How many do I have?", "There are {a} birds in a tree and {b} more come. How many birds are there now?", "Anna has {a} coins and Ben has {b}. How many do they have together?",
    "A bus has {a} people, then {b} get on. How many people are on the bus?", "I read {a} pages yesterday and {b} today. How many pages in all?", "One box holds {a} nails and another holds {b}. How many nails altogether?",
    "A shop sold {a} cups on Monday and {b} on Tuesday. How many in total?", "My train takes {a} minutes and the bus {b} minutes. How long is the whole trip?", "{a} red balls and {b} blue balls: how many balls?",
    "I paid {a} euros for shoes and {b} for a hat. What did I spend?", "Tom is {a} years old. How old will he be in {b} years?", "She walked {a} km and then {b} km. How far did she walk?", "We planted {a} trees and then another {b}. How many trees is that?",
    "I had {a} points and won {b} points. What is my score?", "The class has {a} girls and {b} boys. How many pupils are there?", "Last week {a} letters came, this week {b}. Total?", "increase {a} by {b}", "{a} increased by {b}", "{b} more than {a}",
]
SUBTRACT = [
    "What is {a} minus {b}?", "{a} - {b}", "{a}-{b}", "{a} - {b} =", "{a} - {b} = ?", "{a}-{b}=?", "What is {a} - {b}?", "what's {a}-{b}", "How much is {a} minus {b}?", "How much is {a} less {b}?",
    "Calculate {a} - {b}.", "Subtract {b} from {a}.", "Take {b} from {a}.", "Take {b} away from {a}.", "What is {b} less than {a}?", "{a} minus {b}", "{a} minus {b} equals?", "{a} take away {b}", "{a} less {b}",
    "What do you get when you subtract {b} from {a}?", "Compute {a} - {b}", "Please compute {a} minus {b}.", "Work out {a} - {b}.", "Can you calculate {a} - {b}?", "Do you know what {a} - {b} is?", "Tell me {a} - {b}.",
    "What is the result of {a} - {b}?", "Solve {a} - {b}", "What is the difference between {a} and {b}?", "difference of {a} and {b}", "If I take {b} from {a}, what is left?", "What remains when {b} is taken from {a}?",
    "I have {a} apples and eat {b}. How many are left?", "There are {a} birds in a tree and {b} fly away. How many birds remain?", "Anna has {a} coins and gives Ben {b}. How many does she keep?",
    "A bus has {a} people and {b} get off. How many are still on the bus?", "The book has {a} pages and I read {b}. How many pages are left?", "A box held {a} nails and I used {b}. How many nails are left?",
    "A shop had {a} cups and sold {b}. How many cups does it still have?", "I had {a} euros and spent {b}. How much do I have now?", "Out of {a} balls {b} are blue. How many are not blue?", "Tom is {a} years old. How old was he {b} years ago?",
    "The rope is {a} m long and I cut off {b} m. How long is it now?", "We baked {a} cakes and sold {b}. How many remain?", "I had {a} points and lost {b}. What is my score?", "The class has {a} pupils and {b} are ill. How many came?",
    "{a} letters came and I answered {b}. How many are unanswered?", "decrease {a} by {b}", "{a} reduced by {b}", "{b} fewer than {a}",
]


def is_held_out(a: int, sign: str, b: int) -> bool:
    """One pair in eight is never shown in training, so that an evaluation can tell arithmetic from memory."""
    return (a * 31 + b * 17 + (5 if sign == "+" else 0)) % 8 == 3


def result(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b


def thought(a: int, sign: str, b: int) -> str:
    """The sum in steps of one digit's place."""
    if sign == "-" and b > a:
        return f"{b} is more than {a}, so it is negative. {thought(b, '-', a)} So -{b - a}."
    tens, ones = b // 10 * 10, b % 10
    if sign == "+":
        if a < 10 and b < 10:
            return f"{a} + {b} = {a + b}."
        return f"{a // 10 * 10} + {tens} = {a // 10 * 10 + tens}. {a % 10} + {ones} = {a % 10 + ones}. {a // 10 * 10 + tens} + {a % 10 + ones} = {a + b}."
    if a < 10 or not tens or not ones:
        return f"{a} - {b} = {a - b}."
    return f"{a} - {tens} = {a - tens}. {a - tens} - {ones} = {a - b}."


def answer(a: int, sign: str, b: int) -> str:
    return f"{a} {sign} {b} = {result(a, sign, b)}"


def draw(rng: random.Random) -> tuple[int, str, int]:
    """A pair of the training split: all sizes, few results below zero."""
    while True:
        sign = rng.choice("+-")
        a, b = (rng.randrange(10) if rng.random() < 0.25 else rng.randrange(LARGEST + 1) for _ in range(2))
        if sign == "-" and b > a and rng.random() < 0.9:
            a, b = b, a
        if not is_held_out(a, sign, b):
            return a, sign, b


def wording(a: int, sign: str, b: int, rng: random.Random) -> str:
    templates = ADD if sign == "+" else SUBTRACT
    return rng.choice(templates[:13] if rng.random() < 0.35 else templates).format(a=a, b=b)
